//! `#[helix_module(..)]` and the struct under it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, Fields, Ident, ItemStruct, LitBool, LitStr, Meta, Path, Token, braced, bracketed, parenthesized};

use super::{attributes, default_runtime, options};
use crate::errors::Errors;
use crate::model::{Dependency, Module, Provided, Setting};
use crate::{names, types};

/// The attribute of a field.
pub const HELPERS: &[&str] = &["config"];
const OPTIONS: &[&str] = &[
    "name",
    "version",
    "description",
    "author",
    "license",
    "kind",
    "flags",
    "provides",
    "dependencies",
    "features",
    "permissions",
    "stateless",
    "new",
    "crate",
];
const FLAGS: &[&str] =
    &["ESSENTIAL", "HOT_RELOADABLE", "USERSPACE", "DRIVER", "FILESYSTEM", "SCHEDULER", "ALLOCATOR", "SECURITY"];
const KINDS: &[&str] = &["core", "system", "plugin", "app"];

/// Reads the attribute and the struct; gives the struct without our helpers, and the model.
pub fn module(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<(TokenStream, Module)> {
    let mut item: ItemStruct = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            // What no struct begins with is the attribute's mistake; what breaks off inside one is the compiler's to tell.
            let words = item.into_iter().map(|token| token.to_string());
            if words.clone().any(|word| word == "struct") {
                errors.push(error);
            } else {
                errors.push(syn::Error::new(error.span(), "`#[helix_module]` goes on a struct"));
            }
            return None;
        }
    };
    let mut model = Module {
        runtime: default_runtime(),
        name: LitStr::new(&names::kebab_case(&item.ident), item.ident.span()),
        generics: item.generics.clone(),
        inherited: attributes::inherited(&item.attrs),
        description: attributes::doc(&item.attrs),
        ident: item.ident.clone(),
        version: None,
        author: None,
        license: None,
        kind: None,
        flags: Vec::new(),
        provides: Vec::new(),
        dependencies: Vec::new(),
        features: Vec::new(),
        permissions: Vec::new(),
        stateless: false,
        new: None,
        settings: Vec::new(),
    };
    options::read(args, OPTIONS, errors, |name, input| option(&mut model, name, input));
    model.settings = settings(&mut item.fields, errors);
    Some((item.into_token_stream(), model))
}

fn option(model: &mut Module, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    match name.to_string().as_str() {
        "name" => model.name = options::name(name, input)?,
        "version" => model.version = Some(version(options::value(name, input, "\"1.0.0\"")?)?),
        "description" => model.description = options::value::<LitStr>(name, input, "\"..\"")?.value(),
        "author" => model.author = Some(options::value(name, input, "\"..\"")?),
        "license" => model.license = Some(options::value(name, input, "\"MIT\"")?),
        "kind" => {
            let kind: Ident = options::value(name, input, "core | system | plugin | app")?;
            if !KINDS.contains(&kind.to_string().as_str()) {
                return Err(syn::Error::new(kind.span(), names::unknown("kind", &kind.to_string(), KINDS)));
            }
            model.kind = Some(kind);
        }
        "flags" => model.flags = flags(name, input)?,
        "provides" => model.provides = options::list(name, input, "Contract, \"name\"")?,
        "dependencies" => model.dependencies = dependencies(name, input)?,
        "features" => model.features = options::names(name, input)?,
        "permissions" => model.permissions = options::names(name, input)?,
        "stateless" => {
            model.stateless =
                if input.peek(Token![=]) { options::value::<LitBool>(name, input, "true")?.value } else { true }
        }
        "new" => model.new = Some(options::value(name, input, "path::to::constructor")?),
        _ => model.runtime = runtime(name, input)?,
    }
    Ok(())
}

/// `crate = path`.
pub fn runtime(name: &Ident, input: ParseStream<'_>) -> syn::Result<Path> {
    options::value::<ModPath>(name, input, "path::to::helix_runtime").map(|path| path.0)
}

struct ModPath(Path);

impl Parse for ModPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(Path::parse_mod_style).map(Self)
    }
}

fn version(text: LitStr) -> syn::Result<LitStr> {
    match semver::Version::parse(&text.value()) {
        Ok(_) => Ok(text),
        Err(error) => Err(syn::Error::new(
            text.span(),
            format!("bad version {:?}: {error}; expected major.minor.patch, such as \"1.0.0\"", text.value()),
        )),
    }
}

fn requirement(text: LitStr) -> syn::Result<LitStr> {
    match semver::VersionReq::parse(&text.value()) {
        Ok(_) => Ok(text),
        Err(error) => Err(syn::Error::new(
            text.span(),
            format!(
                "bad version requirement {:?}: {error}; expected one like \"^1.2\" or \">=1.0, <2.0\"",
                text.value()
            ),
        )),
    }
}

fn flags(name: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    input.parse::<Token![=]>().map_err(|_| {
        syn::Error::new(name.span(), "`flags` takes a value: write `flags = SCHEDULER | HOT_RELOADABLE`")
    })?;
    let mut flags: Vec<Ident> = Vec::new();
    let mut wrong: Option<syn::Error> = None;
    loop {
        let path = Path::parse_mod_style(input).map_err(|error| {
            let usage = "write `flags = SCHEDULER | HOT_RELOADABLE`";
            syn::Error::new(error.span(), format!("expected a flag: {usage}, of {}", FLAGS.join(", ")))
        })?;
        let flag = path.segments.last().map(|segment| segment.ident.clone());
        if let Some(flag) = flag {
            let text = flag.to_string();
            let error = if !FLAGS.contains(&text.as_str()) {
                Some(syn::Error::new(flag.span(), names::unknown("flag", &text, FLAGS)))
            } else if flags.contains(&flag) {
                Some(syn::Error::new(flag.span(), format!("flag `{flag}` is given twice: keep one")))
            } else {
                None
            };
            match (error, &mut wrong) {
                (Some(error), Some(wrong)) => wrong.combine(error),
                (Some(error), None) => wrong = Some(error),
                (None, _) => flags.push(flag),
            }
        }
        if next_is_flag(input) {
            let comma: Token![,] = input.parse()?;
            let error =
                syn::Error::new(comma.span, "flags are joined with `|`: write `flags = SCHEDULER | HOT_RELOADABLE`");
            match &mut wrong {
                Some(wrong) => wrong.combine(error),
                None => wrong = Some(error),
            }
        } else if input.peek(Token![|]) {
            input.parse::<Token![|]>()?;
        } else {
            return wrong.map_or(Ok(flags), Err);
        }
    }
}

/// Whether a comma and another flag follow.
fn next_is_flag(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Token![,]>().is_ok()
        && ahead.parse::<Ident>().is_ok_and(|ident| FLAGS.contains(&ident.to_string().as_str()))
}

impl Parse for Provided {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return Ok(Self::Name(options::checked_name(input.parse()?)?));
        }
        input
            .parse()
            .map(Self::Contract)
            .map_err(|error| syn::Error::new(error.span(), "expected a contract's path or a name in quotes"))
    }
}

/// `dependencies("a", "b" = ">=1.0", "c" = { .. })`, or `dependencies = ["a", "b"]`.
fn dependencies(name: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Dependency>> {
    let content;
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if !input.peek(syn::token::Bracket) {
            let span = if input.is_empty() { name.span() } else { input.span() };
            return Err(syn::Error::new(
                span,
                "`dependencies` takes a list: write `dependencies = [\"..\"]`, or `dependencies(\"..\" = \"^1.0\")` with versions",
            ));
        }
        bracketed!(content in input);
    } else if input.peek(syn::token::Paren) {
        parenthesized!(content in input);
    } else {
        return Err(syn::Error::new(
            name.span(),
            "`dependencies` takes a list: write `dependencies = [\"..\"]`, or `dependencies(\"..\" = \"^1.0\")` with versions",
        ));
    }
    options::items(&content, Dependency::parse)
}

impl Parse for Dependency {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: LitStr = input.parse().map_err(|error| {
            syn::Error::new(error.span(), "expected a dependency: the name of a module or a service in quotes")
        })?;
        let mut dependency =
            Self { name: options::checked_name(name)?, version: None, features: Vec::new(), optional: false };
        if !input.peek(Token![=]) {
            return Ok(dependency);
        }
        input.parse::<Token![=]>()?;
        if input.peek(LitStr) {
            dependency.version = Some(requirement(input.parse()?)?);
        } else if input.peek(syn::token::Brace) {
            let content;
            let brace = braced!(content in input);
            if content.is_empty() {
                return Err(syn::Error::new(
                    brace.span.join(),
                    "empty braces: name a `version`, `features` or `optional`, or leave them out",
                ));
            }
            dependency.details(&content)?;
        } else {
            return Err(syn::Error::new(
                input.span(),
                "expected a version requirement, or `{ version = \"^1.0\", features = [\"..\"], optional = true }`",
            ));
        }
        Ok(dependency)
    }
}

impl Dependency {
    fn details(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        const KEYS: &[&str] = &["version", "features", "optional"];
        let mut seen = Vec::new();
        options::items(input, |input| {
            let key = input.call(Ident::parse_any)?;
            options::once(&key, &mut seen)?;
            match key.to_string().as_str() {
                "version" => self.version = Some(requirement(options::value(&key, input, "\"^1.0\"")?)?),
                "features" => self.features = options::names(&key, input)?,
                "optional" => self.optional = options::value::<LitBool>(&key, input, "true")?.value,
                other => return Err(syn::Error::new(key.span(), names::unknown("key", other, KEYS))),
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn settings(fields: &mut Fields, errors: &mut Errors) -> Vec<Setting> {
    let mut settings = Vec::new();
    for field in fields.iter_mut() {
        let (doc, cfgs) = (attributes::doc(&field.attrs), attributes::cfgs(&field.attrs));
        let mut certain = false;
        for helper in attributes::take(&mut field.attrs, HELPERS) {
            // Those in `cfg_attr` may exclude each other.
            if core::mem::replace(&mut certain, helper.cfgs.is_empty()) {
                errors.at(&helper.meta, "a field has one `#[config]`: keep one");
                continue;
            }
            let Some(ident) = field.ident.clone() else {
                errors.at(&helper.meta, "`#[config]` goes on a named field: its name is the key");
                continue;
            };
            let mut cfgs = cfgs.clone();
            for cfg in helper.cfgs {
                cfgs.extend(syn::Attribute::parse_outer.parse2(cfg).unwrap_or_default());
            }
            let default = default_of(&helper.meta, errors);
            settings.push(Setting { cfgs, ident, ty: field.ty.clone(), doc: doc.clone(), default });
        }
    }
    settings
}

/// The default of a `#[config]`, if it has one.
fn default_of(meta: &Meta, errors: &mut Errors) -> Option<Expr> {
    let usage = "write `#[config]` for a key that must be set, or `#[config(default = ..)]`";
    let tokens = errors.ok(attributes::arguments(meta, usage))??;
    let mut default = None;
    options::read(tokens, &["default"], errors, |name, input| {
        default = Some(types::ungrouped_expr(options::value(name, input, "..")?));
        Ok(())
    });
    default
}
