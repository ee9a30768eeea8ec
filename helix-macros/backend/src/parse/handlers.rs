//! `#[helix_handlers]` and the impl block under it.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Generics, Ident, LitInt, LitStr, Meta, Signature, Token, Type, WhereClause, braced};

use super::items::{Item, Items};
use super::method::{method, owned_reply, static_arguments};
use super::{attributes, default_runtime, module, options};
use crate::errors::Errors;
use crate::model::{Argument, Handler, HandlerKind, Handlers, Heard, Method};
use crate::{names, types};

/// The attributes that make a method a handler.
pub const HELPERS: &[&str] =
    &["on_init", "on_start", "on_stop", "on_health", "on_event", "on_request", "on_save", "on_restore"];
const PRIORITIES: &[&str] = &["HIGHEST", "HIGH", "NORMAL", "LOW", "LOWEST"];

struct Block {
    attrs: Vec<Attribute>,
    impl_token: TokenStream,
    generics: Generics,
    self_ty: Type,
    trait_for: Option<Token![for]>,
    where_clause: Option<WhereClause>,
    span: Span,
    items: Items,
}

fn block(input: ParseStream<'_>) -> syn::Result<Block> {
    let attrs = input.call(Attribute::parse_outer)?;
    let impl_token: Token![impl] =
        input.parse().map_err(|error| syn::Error::new(error.span(), "`#[helix_handlers]` goes on an impl block"))?;
    let generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
    let self_ty = input.parse()?;
    let trait_for: Option<Token![for]> = input.parse()?;
    if trait_for.is_some() {
        input.parse::<Type>()?;
    }
    let where_clause = input.parse()?;
    let content;
    let brace = braced!(content in input);
    let items = content.parse()?;
    let impl_token = impl_token.into_token_stream();
    Ok(Block { attrs, impl_token, generics, self_ty, trait_for, where_clause, span: brace.span.join(), items })
}

/// Reads the attribute and the block; gives the block without our helpers, and the model.
pub fn handlers(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<(TokenStream, Handlers)> {
    let mut runtime = default_runtime();
    options::read(args, &["crate"], errors, |name, input| {
        runtime = module::runtime(name, input)?;
        Ok(())
    });
    let mut block = errors.ok(block.parse2(item))?;
    if let Some(trait_for) = block.trait_for {
        errors.push(syn::Error::new(
            trait_for.span,
            "`#[helix_handlers]` goes on the module's own impl block, not on a trait's: a contract's methods are requests without it",
        ));
        return None;
    }
    let mut handlers = Vec::new();
    for item in &mut block.items.items {
        read_item(item, &mut handlers, errors);
    }
    let Block { attrs, impl_token, generics, self_ty, where_clause, span, items, .. } = block;
    let inherited = attributes::inherited(&attrs);
    let mut body = Group::new(proc_macro2::Delimiter::Brace, items.to_token_stream());
    body.set_span(span);
    let tokens = quote!(#(#attrs)* #impl_token #generics #self_ty #where_clause #body);
    let sound = !errors.any_certain();
    Some((tokens, Handlers { runtime, self_ty, generics, where_clause, inherited, handlers, sound }))
}

fn read_item(item: &mut Item, handlers: &mut Vec<Handler>, errors: &mut Errors) {
    let helpers = attributes::take(&mut item.attrs, HELPERS);
    if helpers.is_empty() {
        return;
    }
    let Some(signature) = &item.signature else {
        for helper in helpers {
            errors.at(&helper.meta, format!("`#[{}]` goes on a method: remove it here", helper.name));
        }
        return;
    };
    let doc = attributes::doc(&item.attrs);
    let cfgs: Vec<TokenStream> = attributes::cfgs(&item.attrs).iter().map(ToTokens::to_token_stream).collect();
    let mut told: Vec<String> = Vec::new();
    for helper in helpers {
        let cfgs: Vec<TokenStream> = cfgs.iter().cloned().chain(helper.cfgs).collect();
        let mut wrong = Errors::default();
        let kind = kind(&helper.name, &helper.meta, signature, &mut wrong);
        // What is wrong with the method is told once, however many handlers it is.
        let mut wrong_method = Errors::default();
        let method = kind.is_some().then(|| method(signature, doc.clone(), &mut wrong_method)).flatten();
        let existence = quote!(#(#cfgs)*).to_string();
        if !wrong_method.is_empty() && !told.contains(&existence) && !told.contains(&String::new()) {
            wrong.push_under(&[], wrong_method);
            told.push(existence);
        } else {
            wrong_method.finish();
        }
        if let (Some(kind), Some(mut method)) = (kind, method) {
            if !has_summary(&kind) {
                method.doc.clear();
            }
            if fits(&helper.name, &kind, &mut method, signature, &mut wrong) {
                handlers.push(Handler { span: helper.meta.path().span(), cfgs: cfgs.clone(), method, kind });
            }
        }
        errors.push_under(&cfgs, wrong);
    }
}

/// Whether the doc comment of such a handler is part of its module's description.
fn has_summary(kind: &HandlerKind) -> bool {
    matches!(kind, HandlerKind::Request { .. })
}

fn kind(name: &str, meta: &Meta, signature: &Signature, errors: &mut Errors) -> Option<HandlerKind> {
    let arguments = errors.ok(attributes::arguments(meta, usage(name)))?;
    match name {
        "on_init" | "on_start" | "on_stop" | "on_health" => {
            if let Some(tokens) = arguments {
                errors.at(tokens, format!("`#[{name}]` takes no arguments: {}", usage(name)));
                return None;
            }
            Some(match name {
                "on_init" => HandlerKind::Step("Init"),
                "on_start" => HandlerKind::Step("Start"),
                "on_stop" => HandlerKind::Step("Stop"),
                _ => HandlerKind::Health,
            })
        }
        "on_event" => {
            let Some(tokens) = arguments else {
                errors.at(meta, format!("`#[on_event]` names no event: {}", usage(name)));
                return None;
            };
            errors.ok(event.parse2(tokens))
        }
        "on_request" => {
            let default = LitStr::new(&signature.ident.unraw().to_string(), signature.ident.span());
            match arguments {
                None => Some(HandlerKind::Request { name: default, permission: None, raw: false }),
                Some(tokens) => errors.ok((|input: ParseStream<'_>| request(default, input)).parse2(tokens)),
            }
        }
        _ => {
            let Some(tokens) = arguments else {
                errors.at(meta, format!("`#[{name}]` names no version: {}", usage(name)));
                return None;
            };
            let version = version(tokens, errors)?;
            Some(if name == "on_save" { HandlerKind::Save { version } } else { HandlerKind::Restore { version } })
        }
    }
}

fn usage(name: &str) -> &'static str {
    match name {
        "on_event" => {
            "write `#[on_event(Tick)]`, `#[on_event(\"net.packet\")]`, or `#[on_event(Event)]` for everything"
        }
        "on_request" => "write `#[on_request]` for the method's own name, or `#[on_request(\"name\")]`",
        "on_save" => "write `#[on_save(version = 1)]`",
        "on_restore" => "write `#[on_restore(version = 1)]`",
        "on_init" => "write `#[on_init]`",
        "on_start" => "write `#[on_start]`",
        "on_stop" => "write `#[on_stop]`",
        _ => "write `#[on_health]`",
    }
}

fn version(args: TokenStream, errors: &mut Errors) -> Option<u32> {
    let mut version = None;
    options::read(args, &["version"], errors, |name, input| {
        let number: LitInt = options::value(name, input, "1")?;
        version =
            Some(number.base10_parse().map_err(|_| {
                syn::Error::new(number.span(), "bad version: it is a whole number from 0 to 4294967295")
            })?);
        Ok(())
    });
    version
}

fn event(input: ParseStream<'_>) -> syn::Result<HandlerKind> {
    let heard = if input.peek(LitStr) {
        Heard::Name(options::checked_name(input.parse()?)?)
    } else {
        if input.peek(Ident) && input.peek2(Token![=]) {
            return Err(input.error(format!("`#[on_event]` names no event: {}", usage("on_event"))));
        }
        Heard::Type(input.parse().map_err(|error| {
            syn::Error::new(error.span(), "expected an event's type, such as `Tick`, or a topic's name in quotes")
        })?)
    };
    let mut priority = None;
    if !input.is_empty() {
        input.parse::<Token![,]>().map_err(|error| {
            syn::Error::new(error.span(), "expected `, priority = ..`: for several events use several `#[on_event]`")
        })?;
    }
    if !input.is_empty() {
        let name = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(error.span(), "expected `priority = ..`: for several events use several `#[on_event]`")
        })?;
        if name != "priority" {
            let text = if input.is_empty() && name.to_string().starts_with(char::is_uppercase) {
                format!("`{name}`: one `#[on_event]` names one event; add another `#[on_event({name})]`")
            } else {
                names::unknown("option", &name.to_string(), &["priority"])
            };
            return Err(syn::Error::new(name.span(), text));
        }
        priority = Some(self::priority(options::value(&name, input, "HIGH")?)?);
        input.parse::<Option<Token![,]>>()?;
    }
    if !input.is_empty() {
        return Err(input.error("expected nothing more: an event has one priority"));
    }
    Ok(HandlerKind::Event { heard, priority })
}

fn priority(expr: Expr) -> syn::Result<Expr> {
    let expr = types::ungrouped_expr(expr);
    if let Expr::Path(path) = &expr
        && let Some(ident) = path.path.get_ident()
        && !PRIORITIES.contains(&ident.to_string().as_str())
    {
        return Err(syn::Error::new(ident.span(), names::unknown("priority", &ident.to_string(), PRIORITIES)));
    }
    Ok(expr)
}

fn request(default: LitStr, input: ParseStream<'_>) -> syn::Result<HandlerKind> {
    const OPTIONS: &[&str] = &["permission", "raw"];
    let (mut name, mut permission, mut raw) = (default, None, false);
    if input.peek(LitStr) {
        name = input.parse()?;
        if !names::is_identifier(&name.value()) {
            return Err(syn::Error::new(
                name.span(),
                format!("bad request name {:?}: a request's name is an identifier, such as `get_status`", name.value()),
            ));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    while !input.is_empty() {
        let option = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(error.span(), "expected a name in quotes, `permission = \"..\"` or `raw`")
        })?;
        match option.to_string().as_str() {
            "permission" if permission.is_none() => permission = Some(options::name(&option, input)?),
            "raw" if !raw => raw = true,
            "permission" | "raw" => {
                return Err(syn::Error::new(option.span(), format!("option `{option}` is given twice: keep one")));
            }
            "name" => {
                let text = "a request's name comes first and alone: write `#[on_request(\"..\")]`";
                return Err(syn::Error::new(option.span(), text));
            }
            other => return Err(syn::Error::new(option.span(), names::unknown("option", other, OPTIONS))),
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(HandlerKind::Request { name, permission, raw })
}

/// Whether a method has the parameters that its attribute wants.
fn fits(name: &str, kind: &HandlerKind, method: &mut Method, signature: &Signature, errors: &mut Errors) -> bool {
    if matches!(kind, HandlerKind::Request { raw: false, .. }) {
        let fine = static_arguments(&mut method.args, errors);
        return owned_reply(method.output.as_ref(), errors) && fine;
    }
    if matches!(kind, HandlerKind::Save { .. }) && !owned_reply(method.output.as_ref(), errors) {
        return false;
    }
    let extra = |expected: usize| method.args.get(expected).map(|arg| &arg.ty);
    let mut refuse = |tokens: &dyn ToTokens, message: String| {
        errors.at(tokens.to_token_stream(), message);
        false
    };
    match kind {
        HandlerKind::Step(_) | HandlerKind::Health | HandlerKind::Save { .. } => match extra(0) {
            Some(ty) => refuse(ty, format!("`#[{name}]` takes nothing but `ctx: &Context`: remove this")),
            None => match (kind, &method.output) {
                (HandlerKind::Health, Some(ty)) if !types::may_be_bool(ty) => {
                    refuse(ty, "`#[on_health]` returns `bool`: whether the module is well".into())
                }
                (HandlerKind::Health, None) => {
                    refuse(&method.ident, "`#[on_health]` returns `bool`: whether the module is well".into())
                }
                (HandlerKind::Save { .. }, None) => {
                    refuse(&method.ident, "`#[on_save]` saves nothing: return the state".into())
                }
                _ => true,
            },
        },
        HandlerKind::Event { .. } => match extra(1) {
            Some(ty) => refuse(ty, "`#[on_event]` takes the event and `ctx: &Context`, nothing else".into()),
            None => match method.args.first().map(|arg| &arg.ty) {
                Some(Type::Reference(taken)) => match &taken.mutability {
                    Some(mutability) => {
                        refuse(mutability, "an event is shared by all its handlers: remove `mut`".into())
                    }
                    None => true,
                },
                Some(ty) => refuse(ty, format!("an event is lent: take `&{}`", ty.to_token_stream())),
                None => true,
            },
        },
        HandlerKind::Request { raw: true, .. } => match (method.args.len(), extra(1)) {
            (1, _) => true,
            (0, _) => refuse(&signature.ident, "a raw handler takes `request: &Request`".into()),
            (_, Some(ty)) => refuse(ty, "a raw handler takes `&Request` and `ctx: &Context`, nothing else".into()),
            _ => true,
        },
        HandlerKind::Request { .. } => true,
        HandlerKind::Restore { .. } => match (method.args.len(), extra(1)) {
            (1, _) => static_state(&method.args[0], errors),
            (0, _) => refuse(&signature.ident, "`#[on_restore]` takes the saved state".into()),
            (_, Some(ty)) => {
                refuse(ty, "`#[on_restore]` takes the saved state and `ctx: &Context`, nothing else".into())
            }
            _ => true,
        },
    }
}

fn static_state(arg: &Argument, errors: &mut Errors) -> bool {
    match &arg.ty {
        Type::Reference(_) => {
            errors.at(&arg.ty, "saved state is taken by value: remove `&`");
            false
        }
        _ => true,
    }
}
