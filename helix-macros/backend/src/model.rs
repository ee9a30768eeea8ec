//! What the attributes say, in types of their own. `check` and `expand` know nothing else.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, DeriveInput, Expr, Generics, Ident, LitStr, Path, Type, Visibility, WhereClause};

/// A struct under `#[helix_module]`.
pub struct Module {
    /// The path of the runtime.
    pub runtime: Path,
    pub ident: Ident,
    pub generics: Generics,
    /// What stands on all that is made from it: its `cfg`s, and the lints that it allows.
    pub inherited: Vec<Attribute>,
    pub name: LitStr,
    pub version: Option<LitStr>,
    pub description: String,
    pub author: Option<LitStr>,
    pub license: Option<LitStr>,
    pub kind: Option<Ident>,
    pub flags: Vec<Ident>,
    pub provides: Vec<Provided>,
    pub dependencies: Vec<Dependency>,
    pub features: Vec<LitStr>,
    pub permissions: Vec<LitStr>,
    pub stateless: bool,
    pub new: Option<Path>,
    pub settings: Vec<Setting>,
}

/// One of `provides = [..]`.
pub enum Provided {
    /// A trait under `#[helix_service]`.
    Contract(Path),
    /// Just a name.
    Name(LitStr),
}

/// One of `dependencies`.
pub struct Dependency {
    pub name: LitStr,
    pub version: Option<LitStr>,
    pub features: Vec<LitStr>,
    pub optional: bool,
}

/// A field under `#[config]`.
pub struct Setting {
    pub cfgs: Vec<Attribute>,
    pub ident: Ident,
    pub ty: Type,
    pub doc: String,
    pub default: Option<Expr>,
}

/// An impl block under `#[helix_handlers]`.
pub struct Handlers {
    pub runtime: Path,
    pub self_ty: Type,
    pub generics: Generics,
    pub where_clause: Option<WhereClause>,
    /// What stands on all that is made from it: its `cfg`s, and the lints that it allows.
    pub inherited: Vec<Attribute>,
    pub handlers: Vec<Handler>,
    /// Whether nothing was wrong, so that the const checks have something to check.
    pub sound: bool,
}

/// One handler attribute on one method.
pub struct Handler {
    /// The attribute.
    pub span: Span,
    /// The `cfg`s under which this handler exists.
    pub cfgs: Vec<TokenStream>,
    pub method: Method,
    pub kind: HandlerKind,
}

/// A method's signature, as far as it matters here.
#[derive(Clone)]
pub struct Method {
    pub ident: Ident,
    /// Whether it takes `&mut self`.
    pub exclusive: bool,
    /// What it takes between `self` and the context.
    pub args: Vec<Argument>,
    /// Whether its last parameter is `ctx: &Context`.
    pub takes_context: bool,
    pub output: Option<Type>,
    pub doc: String,
}

/// One argument, in its `'static` form.
#[derive(Clone)]
pub struct Argument {
    /// What it is called; a number where the parameter is a pattern.
    pub name: Ident,
    pub ty: Type,
}

pub enum HandlerKind {
    /// `on_init`, `on_start` or `on_stop`: the variant of the runtime's `Step`.
    Step(&'static str),
    Health,
    Event {
        heard: Heard,
        priority: Option<Expr>,
    },
    Request {
        name: LitStr,
        permission: Option<LitStr>,
        raw: bool,
    },
    Save {
        version: u32,
    },
    Restore {
        version: u32,
    },
}

/// What `#[on_event(..)]` names.
pub enum Heard {
    Type(Box<Type>),
    Name(LitStr),
}

/// A trait under `#[helix_service]`.
pub struct Service {
    pub runtime: Path,
    pub name: LitStr,
    pub vis: Visibility,
    pub ident: Ident,
    pub generics: Generics,
    /// What stands on all that is made from it: its `cfg`s, and the lints that it allows.
    pub inherited: Vec<Attribute>,
    pub methods: Vec<ServiceMethod>,
    /// Whether `dyn Trait` can exist, as far as the attribute sees.
    pub is_dyn: bool,
}

pub struct ServiceMethod {
    pub cfgs: Vec<TokenStream>,
    pub deprecated: Option<Attribute>,
    pub method: Method,
}

/// A type under `#[helix_message]`.
pub struct Message {
    /// The type, less what the attribute refuses.
    pub item: DeriveInput,
    pub runtime: Path,
    pub cfgs: Vec<Attribute>,
    pub shape: MessageShape,
    /// Whether codec and schema can be derived; else it stays a plain type.
    pub sound: bool,
}

pub enum MessageShape {
    Struct(Fields),
    Enum(Vec<Variant>),
}

pub struct Variant {
    pub cfgs: Vec<Attribute>,
    pub ident: Ident,
    pub fields: Fields,
}

pub enum Fields {
    Unit,
    Tuple(Vec<Field>),
    Named(Vec<Field>),
}

pub struct Field {
    pub cfgs: Vec<Attribute>,
    pub ident: Option<Ident>,
    pub ty: Type,
}

/// A type under `#[derive(EventType)]`.
pub struct Event {
    pub runtime: Path,
    pub ident: Ident,
    pub generics: Generics,
    pub topic: String,
    pub name: String,
}

/// The list of `modules![..]`.
pub struct Modules {
    pub runtime: TokenStream,
    pub members: Vec<Type>,
    /// Whether it ends in `..`.
    pub open: bool,
}
