//! What a script may import: files below its own folder and nothing else, however they are named. A
//! path is followed to where it really leads before it is judged.

use rhai::{AST, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::limits;
use crate::script::error::{Failure, ScriptError};
use crate::script::rhai::kit::Kit;
use crate::text::escape_display;

/// Resolves imports inside one folder.
pub(super) struct Folder {
    /// Where the script is, as the system names it.
    root: PathBuf,
    kit: Rc<Kit>,
    loaded: RefCell<BTreeMap<PathBuf, Shared<Module>>>,
    loading: RefCell<Vec<PathBuf>>,
}

impl Folder {
    pub(super) fn new(root: PathBuf, kit: Rc<Kit>) -> Self {
        Self { root, kit, loaded: RefCell::default(), loading: RefCell::default() }
    }

    /// Where a name leads, if that is inside.
    fn find(&self, from: Option<&str>, path: &str) -> Result<PathBuf, String> {
        let shown = escape_display(path);
        if Path::new(path).is_absolute() {
            return Err(format!(
                "import: {shown} is absolute; only files in the script's own folder can be imported"
            ));
        }
        let near = from.map(Path::new).and_then(Path::parent).unwrap_or(Path::new(""));
        let mut file = self.root.join(near).join(path);
        if file.extension().is_none() {
            file.set_extension("rhai");
        }
        let outside = || format!("import: {shown} is outside the script's own folder");
        let real = file.canonicalize().map_err(|error| format!("import: {shown}: {error}"))?;
        let root = self.root.canonicalize().map_err(|error| format!("import: {shown}: {error}"))?;
        if !real.starts_with(&root) { Err(outside()) } else { Ok(real) }
    }

    fn read(&self, real: &Path, shown: &str) -> Result<String, String> {
        let found = std::fs::metadata(real).map_err(|error| format!("import: {shown}: {error}"))?;
        if !found.is_file() {
            return Err(format!("import: {shown} is no regular file"));
        }
        if found.len() > limits::SCRIPT_BYTES_MAX {
            return Err(format!("import: {shown} is bigger than the 1 MiB that a script may have"));
        }
        std::fs::read_to_string(real).map_err(|error| format!("import: {shown}: {error}"))
    }

    fn compile(&self, engine: &Engine, real: &Path, text: &str) -> Result<AST, Box<EvalAltResult>> {
        let name = real.strip_prefix(self.root.canonicalize().unwrap_or_default()).unwrap_or(real);
        let name: Arc<str> = name.display().to_string().into();
        self.kit.texts.borrow_mut().insert(Arc::clone(&name), text.into());
        let mut ast = engine.compile(text).map_err(|error| {
            Box::new(EvalAltResult::ErrorInModule(
                name.to_string(),
                Box::new(EvalAltResult::ErrorParsing(*error.0, error.1)),
                error.1,
            ))
        })?;
        ast.set_source(&*name);
        Ok(ast)
    }
}

impl ModuleResolver for Folder {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        place: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let refuse = |words: String| {
            let error = ScriptError::from(Failure::Thrown(words));
            let spot = crate::script::error::Spot {
                file: source
                    .filter(|source| !source.is_empty())
                    .map_or_else(|| Arc::clone(&self.kit.file), Arc::from),
                line: place.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0),
                column: place.position().and_then(|column| u32::try_from(column).ok()).unwrap_or(0),
            };
            super::trouble::throw(error, &spot, place)
        };
        let from = source.filter(|source| **source != *self.kit.file);
        let real = self.find(from, path).map_err(&refuse)?;
        if let Some(module) = self.loaded.borrow().get(&real) {
            return Ok(Shared::clone(module));
        }
        let shown = escape_display(path);
        if self.loading.borrow().contains(&real) {
            return Err(refuse(format!("import: {shown} imports itself")));
        }
        let text = self.read(&real, &shown).map_err(&refuse)?;
        let ast = self.compile(engine, &real, &text)?;
        self.loading.borrow_mut().push(real.clone());
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine);
        self.loading.borrow_mut().pop();
        let module: Shared<Module> = module?.into();
        self.loaded.borrow_mut().insert(real, Shared::clone(&module));
        Ok(module)
    }
}
