//! What only a whole model shows to be wrong. What needs the compiler's knowledge of types is checked in const.

use proc_macro2::Span;
use syn::LitStr;

use crate::errors::Errors;
use crate::model::{Handler, HandlerKind, Handlers, Heard, Module, Provided, Service};

/// Topics of the runtime's own events, which are named by their types.
const BUILT_IN_TOPICS: &[&str] =
    &["tick", "shutdown", "memory-pressure", "cpu-hotplug", "process", "interrupt", "module", "health-check"];

/// Checks a module's options against each other.
pub fn module(model: &Module, errors: &mut Errors) {
    if !crate::names::is_name(&model.name.value()) {
        errors.at(
            &model.name,
            format!("bad name {:?}: {}; give one with `name = \"..\"`", model.name.value(), crate::names::RULE),
        );
    }
    let names: Vec<&LitStr> = model.dependencies.iter().map(|dependency| &dependency.name).collect();
    for (at, name) in names.iter().enumerate() {
        if name.value() == model.name.value() {
            errors.at(name, format!("{:?} depends on itself: remove it", name.value()));
        }
        if let Some(first) = names[..at].iter().find(|first| first.value() == name.value()) {
            twice(errors, "dependency", &name.value(), first.span(), name.span());
        }
    }
    let provided: Vec<&LitStr> = model
        .provides
        .iter()
        .filter_map(|provided| match provided {
            Provided::Name(name) => Some(name),
            Provided::Contract(_) => None,
        })
        .collect();
    for (at, name) in provided.iter().enumerate() {
        if let Some(first) = provided[..at].iter().find(|first| first.value() == name.value()) {
            twice(errors, "service", &name.value(), first.span(), name.span());
        }
    }
}

fn twice(errors: &mut Errors, what: &str, name: &str, first: Span, second: Span) {
    let mut error = syn::Error::new(second, format!("{what} `{name}` is named twice: keep one"));
    error.combine(syn::Error::new(first, format!("{what} `{name}` is first named here")));
    errors.push(error);
}

/// Checks the handlers of a block against each other.
///
/// Handlers under a `cfg` may exclude each other, so those are left to the const checks, which see what is left.
pub fn handlers(model: &mut Handlers, errors: &mut Errors) {
    for (at, handler) in model.handlers.iter().enumerate() {
        let mut wrong = Errors::default();
        for first in model.handlers[..at].iter().filter(|first| first.cfgs.is_empty() && handler.cfgs.is_empty()) {
            if let Some((what, hint)) = clash(first, handler) {
                let mut error = syn::Error::new(handler.span, format!("{what} twice: {hint}"));
                error.combine(syn::Error::new(first.span, format!("{what} first here")));
                wrong.push(error);
                break;
            }
        }
        if let HandlerKind::Save { version } = handler.kind
            && model.sound
            && !model
                .handlers
                .iter()
                .any(|other| matches!(other.kind, HandlerKind::Restore { version: restored } if restored == version))
        {
            wrong.push(syn::Error::new(
                handler.span,
                format!(
                    "state of version {version} is saved, but restored by nothing: add `#[on_restore(version = {version})]`"
                ),
            ));
        }
        if let HandlerKind::Event { heard: Heard::Name(name), .. } = &handler.kind
            && BUILT_IN_TOPICS.contains(&name.value().as_str())
        {
            wrong.at(name, format!("{:?} is a topic of Helix's own: name the type, as in `#[on_event(Tick)]` or `#[on_event(Process)]`", name.value()));
        }
        errors.push_under(&handler.cfgs, wrong);
    }
    model.sound = !errors.any_certain();
}

fn clash(first: &Handler, second: &Handler) -> Option<(String, &'static str)> {
    match (&first.kind, &second.kind) {
        (HandlerKind::Step(a), HandlerKind::Step(b)) if a == b => {
            Some((format!("`#[on_{}]`", a.to_lowercase()), "a step has one handler; keep one"))
        }
        (HandlerKind::Health, HandlerKind::Health) => {
            Some(("`#[on_health]`".into(), "a step has one handler; keep one"))
        }
        (HandlerKind::Save { .. }, HandlerKind::Save { .. }) => {
            Some(("`#[on_save]`".into(), "state is saved in one version, the newest; keep that one"))
        }
        (HandlerKind::Restore { version: a }, HandlerKind::Restore { version: b }) if a == b => {
            Some((format!("`#[on_restore(version = {a})]`"), "a version has one handler; keep one"))
        }
        (HandlerKind::Request { name: a, .. }, HandlerKind::Request { name: b, .. }) if a.value() == b.value() => {
            Some((format!("request `{}`", a.value()), "rename one with `#[on_request(\"..\")]`"))
        }
        _ => None,
    }
}

/// Checks a contract's methods against each other.
pub fn service(model: &Service, errors: &mut Errors) {
    if model.methods.is_empty() && errors.is_empty() {
        errors.at(
            &model.ident,
            "a contract without methods says nothing: add one, or provide the name alone, as in `provides = [\"..\"]`",
        );
    }
}
