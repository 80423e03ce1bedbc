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
use crate::script::source::Source;
use crate::text::escape_display;

/// Resolves imports inside one folder.
pub(super) struct Folder {
    root: PathBuf,
    /// In place of the folder.
    files: Option<BTreeMap<String, String>>,
    kit: Rc<Kit>,
    loaded: RefCell<BTreeMap<String, Shared<Module>>>,
    loading: RefCell<Vec<String>>,
}

impl Folder {
    pub(super) fn new(source: &Source, kit: Rc<Kit>) -> Self {
        let (root, files) = (source.folder.clone(), source.files.clone());
        Self { root, files, kit, loaded: RefCell::default(), loading: RefCell::default() }
    }

    /// The text that a name means, and the file's own name, if that is inside.
    fn find(&self, from: Option<&str>, path: &str) -> Result<(String, String), String> {
        let shown = escape_display(path);
        if Path::new(path).is_absolute() {
            return Err(format!(
                "import: {shown} is absolute; only files in the script's own folder can be imported"
            ));
        }
        let near = from.map(Path::new).and_then(Path::parent).unwrap_or(Path::new(""));
        let mut file = near.join(path);
        if file.extension().is_none() {
            file.set_extension("rhai");
        }
        if let Some(files) = &self.files {
            let name = file.display().to_string();
            let text = files.get(&name).ok_or_else(|| format!("import: {shown} is not in the bundle"))?;
            return Ok((name, text.clone()));
        }
        let failed = |error| format!("import: {shown}: {error}");
        let real = self.root.join(&file).canonicalize().map_err(failed)?;
        let root = self.root.canonicalize().map_err(failed)?;
        match real.strip_prefix(&root) {
            Ok(name) => Ok((name.display().to_string(), read(&real, &shown)?)),
            Err(_) => Err(format!("import: {shown} is outside the script's own folder")),
        }
    }

    fn compile(&self, engine: &Engine, name: &str, text: &str) -> Result<AST, Box<EvalAltResult>> {
        self.kit.stage.borrow_mut().texts.insert(name.into(), text.into());
        let mut ast = engine.compile(text).map_err(|error| {
            let inner = EvalAltResult::ErrorParsing(*error.0, error.1);
            Box::new(EvalAltResult::ErrorInModule(name.to_owned(), Box::new(inner), error.1))
        })?;
        ast.set_source(name);
        Ok(ast)
    }
}

fn read(real: &Path, shown: &str) -> Result<String, String> {
    let found = std::fs::metadata(real).map_err(|error| format!("import: {shown}: {error}"))?;
    if !found.is_file() {
        return Err(format!("import: {shown} is no regular file"));
    }
    if found.len() > limits::SCRIPT_BYTES_MAX {
        return Err(format!("import: {shown} is bigger than the 1 MiB that a script may have"));
    }
    std::fs::read_to_string(real).map_err(|error| format!("import: {shown}: {error}"))
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
        let (name, text) = self.find(from, path).map_err(&refuse)?;
        if let Some(module) = self.loaded.borrow().get(&name) {
            return Ok(Shared::clone(module));
        }
        if self.loading.borrow().contains(&name) {
            return Err(refuse(format!("import: {} imports itself", escape_display(path))));
        }
        let ast = self.compile(engine, &name, &text)?;
        self.loading.borrow_mut().push(name.clone());
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine);
        self.loading.borrow_mut().pop();
        let module: Shared<Module> = module?.into();
        self.loaded.borrow_mut().insert(name, Shared::clone(&module));
        Ok(module)
    }
}
