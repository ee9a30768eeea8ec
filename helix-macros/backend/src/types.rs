//! Types as they are written: which mean something here, seen through the groups that `macro_rules` leaves around what
//! it has matched.

use syn::{AngleBracketedGenericArguments, Expr, GenericArgument, PathArguments, PathSegment, Type, TypePath};

/// The type inside the groups around it.
pub fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        ty => ty,
    }
}

/// The expression inside the groups around it.
pub fn ungrouped_expr(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungrouped_expr(*group.expr),
        expr => expr,
    }
}

/// `&Context`.
pub fn is_context(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::Reference(reference) if is_called(&reference.elem, "Context"))
}

/// `str` and `[u8]`, which may be lent.
pub fn is_borrowed(ty: &Type) -> bool {
    match ungrouped(ty) {
        Type::Path(path) => path.path.is_ident("str"),
        Type::Slice(slice) => matches!(ungrouped(&slice.elem), Type::Path(path) if path.path.is_ident("u8")),
        _ => false,
    }
}

/// `bool`, or what may be another name for it.
pub fn may_be_bool(ty: &Type) -> bool {
    let Type::Path(path) = ungrouped(ty) else { return matches!(ungrouped(ty), Type::Macro(_)) };
    path.path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        last.arguments.is_none() && name != "String" && (name == "bool" || name.starts_with(char::is_uppercase))
    })
}

/// The two types of a `Result`; no second one if that is a `ModuleError`, which does not travel.
pub fn result(ty: &Type) -> Option<(&Type, Option<&Type>)> {
    let Type::Path(TypePath { path, .. }) = ungrouped(ty) else { return None };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(args) = &last.arguments else { return None };
    match (last.ident.to_string().as_str(), types_of(args).as_slice()) {
        ("Result", [ok, error]) => Some((ok, Some(*error).filter(|error| !is_called(error, "ModuleError")))),
        ("ModuleResult", [ok]) => Some((ok, None)),
        _ => None,
    }
}

/// Whether a path ends in that name.
fn is_called(ty: &Type, name: &str) -> bool {
    matches!(ungrouped(ty), Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}

/// What travels without being asked: numbers, text, nothing, and what is lent of them.
pub fn surely_travels(ty: &Type) -> bool {
    const SURE: &[&str] =
        &["bool", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64", "char", "String"];
    match ungrouped(ty) {
        Type::Path(path) => path.path.get_ident().is_some_and(|ident| SURE.iter().any(|sure| ident == sure)),
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Reference(_) => true,
        _ => false,
    }
}

/// The parts of a type that travels when they do.
pub fn held(ty: &Type) -> Vec<&Type> {
    const HOLDERS: &[&str] = &["Vec", "Option", "Result", "BTreeMap", "BTreeSet"];
    match ungrouped(ty) {
        Type::Path(TypePath { path, .. }) => match path.segments.last() {
            Some(PathSegment { ident, arguments: PathArguments::AngleBracketed(held) })
                if HOLDERS.iter().any(|holder| ident == holder) =>
            {
                types_of(held)
            }
            _ => Vec::new(),
        },
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        Type::Array(array) => vec![&array.elem],
        _ => Vec::new(),
    }
}

fn types_of(args: &AngleBracketedGenericArguments) -> Vec<&Type> {
    let types = args.args.iter().filter_map(|arg| match arg {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}
