//! The engine, with every bound set, and a run of one script from its text to its end.

use rhai::packages::{
    BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, BitFieldPackage, CorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, Array, Dynamic, Engine, EvalAltResult, OptimizationLevel, Scope};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::id::Name;
use crate::limits;
use crate::play::Ev;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::record::text;
use crate::script::rhai::kit::Kit;
use crate::script::rhai::meter::Pace;
use crate::script::rhai::values::Peer;
use crate::script::rhai::{checks, import, network, pair, peers, programs, raw, tests, texts, values};
use crate::script::stage::{Effort, Setting, Shared, Stage};
use crate::script::stop::Stop;
use crate::script::{Outcome, Source};

/// Plays a script.
pub fn run(source: &Source, setting: Setting) -> Outcome {
    let (stop, head, effort) = (setting.stop.clone(), setting.head.clone(), Rc::clone(&setting.effort));
    let stage = match Stage::new(setting) {
        Ok(stage) => Rc::new(RefCell::new(stage)),
        Err(failure) => return Outcome::unplayed(head, failure.into()),
    };
    let kit = Kit::new(Rc::clone(&stage), Arc::from(&*source.name), stop, effort, None);
    stage.borrow_mut().texts.insert(Arc::clone(&kit.file), Arc::from(&*source.text));
    let engine = engine(&kit, source);
    let result = play(&engine, &kit, source);
    // The engine holds the kit, and the kit holds what the engine made: the ring is opened here.
    kit.handlers.borrow_mut().clear();
    kit.invariants.borrow_mut().clear();
    let mut stage = stage.borrow_mut();
    let result = stage.unbroken(result);
    if let Err(error) = &result {
        stage.record_error(error);
    }
    stage.end(result.err())
}

/// The language beside a batch: lines that begin with `=`, and the handlers that they leave behind.
pub(in crate::script) struct Talk {
    engine: Engine,
    kit: Rc<Kit>,
    scope: Scope<'static>,
    /// Everything said so far: functions and handlers stay.
    ast: AST,
}

impl Talk {
    /// With `pace` each line and handler has bounds of its own, and what a handler does ends nothing.
    pub(in crate::script) fn new(
        stage: &Shared,
        source: &Source,
        stop: Stop,
        effort: Effort,
        pace: Option<Pace>,
    ) -> Self {
        let kit = Kit::new(Rc::clone(stage), Arc::from(&*source.name), stop, effort, pace);
        let engine = engine(&kit, source);
        Self { engine, kit, scope: Scope::new(), ast: AST::empty() }
    }

    /// Evaluates a line; gives what it gives, as the language writes it. Nothing for nothing.
    ///
    /// # Errors
    /// It is no script, or it failed.
    pub(in crate::script) fn evaluate(
        &mut self,
        text: &str,
        spot: &Spot,
    ) -> Result<Option<String>, ScriptError> {
        let before = self.kit.meter.begin();
        let result = self.value(text);
        self.kit.meter.end(before);
        result.map_err(|mut error| {
            // Of a line that does not parse, the column says more than the line.
            let column = match (&*error.failure, &error.spot) {
                (Failure::Parse(_), Some(own)) => own.column,
                _ => 0,
            };
            error.spot = Some(spot.clone());
            error.quote = None;
            if column > 0
                && let Failure::Parse(words) = &mut *error.failure
            {
                words.push_str(&format!(" (column {column} of the expression)"));
            }
            error
        })
    }

    fn value(&mut self, text: &str) -> Result<Option<String>, ScriptError> {
        let parsed =
            self.engine.compile_with_scope(&self.scope, text).map_err(|error| self.kit.unparsed(&error))?;
        self.ast.clear_statements();
        self.ast += parsed;
        if self.ast.iter_functions().count() > limits::SCRIPT_FUNCTIONS_MAX {
            let words =
                format!("these are more than the {} functions there may be", limits::SCRIPT_FUNCTIONS_MAX);
            return Err(Failure::Bound(words).into());
        }
        let explain = |error: Box<EvalAltResult>| self.kit.explain(*error);
        let value =
            self.engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &self.ast).map_err(explain)?;
        if value.is_unit() {
            return Ok(None);
        }
        let mut scope = Scope::new();
        scope.push_dynamic("value", value);
        let written = self.engine.eval_expression_with_scope::<String>(&mut scope, "to_debug(value)");
        Ok(Some(written.map_err(explain)?))
    }

    /// What is done between two turns of a wait: see [`Kit::aside`].
    pub(in crate::script) fn aside(&self) -> Result<(), ScriptError> {
        self.kit.aside(&|function, args| {
            let args: Vec<Dynamic> = args.iter_mut().map(std::mem::take).collect();
            function.call(&self.engine, &self.ast, args)
        })
    }
}

/// The ring of engine and kit is opened.
impl Drop for Talk {
    fn drop(&mut self) {
        self.kit.handlers.borrow_mut().clear();
        self.kit.invariants.borrow_mut().clear();
        self.engine = Engine::new_raw();
    }
}

fn play(engine: &Engine, kit: &Rc<Kit>, source: &Source) -> Result<(), ScriptError> {
    let ast = compile(engine, kit, source)?;
    let mut scope = Scope::new();
    let args: Array = source.args.iter().map(|arg| Dynamic::from(arg.clone())).collect();
    scope.push_constant("ARGS", args);
    match engine.run_ast_with_scope(&mut scope, &ast) {
        Ok(()) => Ok(()),
        Err(error) if matches!(*error, EvalAltResult::Exit(..)) => Ok(()),
        Err(error) => Err(kit.explain(*error)),
    }
}

fn compile(engine: &Engine, kit: &Rc<Kit>, source: &Source) -> Result<AST, ScriptError> {
    let mut ast = engine.compile(&*source.text).map_err(|error| kit.unparsed(&error))?;
    ast.set_source(&*kit.file);
    Ok(ast)
}

fn engine(kit: &Rc<Kit>, source: &Source) -> Engine {
    let mut engine = Engine::new_raw();
    for package in [
        CorePackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
        BasicMathPackage::new().as_shared_module(),
        BitFieldPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicMapPackage::new().as_shared_module(),
        BasicStringPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
        BasicIteratorPackage::new().as_shared_module(),
        BasicFnPackage::new().as_shared_module(),
    ] {
        engine.register_global_module(package);
    }
    bound(&mut engine, kit);
    names(&mut engine, kit);
    printing(&mut engine, kit);
    engine.set_module_resolver(import::Folder::new(source, Rc::clone(kit)));
    values::register(&mut engine, kit);
    peers::register(&mut engine, kit);
    network::register(&mut engine, kit);
    checks::register(&mut engine, kit);
    programs::register(&mut engine, kit);
    raw::register(&mut engine, kit);
    texts::register(&mut engine, kit);
    tests::register(&mut engine, kit);
    pair::register(&mut engine, kit);
    engine
}

/// The same bounds in every build: the engine's own defaults differ between debug and release.
fn bound(engine: &mut Engine, kit: &Rc<Kit>) {
    engine.set_optimization_level(OptimizationLevel::Simple);
    engine.set_max_operations(limits::SCRIPT_OPERATIONS_MAX);
    engine.set_max_call_levels(limits::SCRIPT_DEPTH_MAX);
    engine.set_max_expr_depths(limits::SCRIPT_DEPTH_MAX, limits::SCRIPT_DEPTH_MAX);
    engine.set_max_string_size(limits::SCRIPT_STRING_MAX);
    engine.set_max_array_size(limits::SCRIPT_ARRAY_MAX);
    engine.set_max_map_size(limits::SCRIPT_MAP_MAX);
    engine.set_max_variables(limits::SCRIPT_VARIABLES_MAX);
    engine.set_max_functions(limits::SCRIPT_FUNCTIONS_MAX);
    engine.set_max_modules(limits::SCRIPT_MODULES_MAX);
    engine.set_strict_variables(false);
    engine.disable_symbol("eval");
    let own = Rc::clone(kit);
    engine.on_progress(move |operations| {
        let failure = own.meter.look(operations)?;
        Some(Dynamic::from(failure))
    });
}

/// A name that no variable has is a peer of the cast, so functions see the cast and closures capture
/// nothing but names. One that is quoted somewhere in the script may be cast later: a closure may
/// speak of it before.
fn names(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    // Marked volatile by its authors; the version is pinned.
    #[expect(deprecated, reason = "the only way to give names a meaning")]
    engine.on_var(move |word, _, ctx| {
        if ctx.scope().contains(word) {
            return Ok(None);
        }
        if word == "PROGRAM" {
            let program = own.stage.borrow_mut().program();
            return Ok(program.map(|words| words.into_iter().map(Dynamic::from).collect::<Array>().into()));
        }
        if word == "PORT" {
            // Drawn when it is first asked for; without programs there is none.
            let port = own.stage.borrow_mut().own_port();
            return Ok(port.ok().map(|port| Dynamic::from(i64::from(port))));
        }
        let Ok(name) = Name::new(word) else { return Ok(None) };
        let stage = own.stage.borrow();
        let known = stage.scene.find(name).is_some() || stage.is_left_out(name);
        let known = known || stage.texts.values().any(|text| is_quoted(text, word));
        Ok(known.then(|| Dynamic::from(Peer(name))))
    });
}

/// Whether a script has this word as a text.
fn is_quoted(text: &str, word: &str) -> bool {
    let is_mark = |c: Option<char>| matches!(c, Some('"' | '`'));
    text.match_indices(word).any(|(at, _)| {
        is_mark(text[..at].chars().next_back()) && is_mark(text[at + word.len()..].chars().next())
    })
}

/// What a script prints is a note in the list: renderers show it, escaped, in its place.
fn printing(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.on_print(move |words| note(&own, words, 0));
    let own = Rc::clone(kit);
    engine.on_debug(move |words, _, place| note(&own, words, place.line().unwrap_or(0)));
}

fn note(kit: &Kit, words: &str, line: usize) {
    kit.meter.charge();
    kit.stage.borrow_mut().record(None, Ev::Note, |moment| {
        moment.text = text(words);
        moment.line = u32::try_from(line).ok().filter(|line| *line > 0);
    });
}
