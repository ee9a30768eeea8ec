//! Types as they are written: which mean something here, seen through the groups that `macro_rules` leaves around what
//! it has matched.

use syn::{Expr, GenericArgument, PathArguments, Type, TypePath};

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

/// The two types of a `Result`; no second one if that is a `ModuleError`, which does not travel.
pub fn result(ty: &Type) -> Option<(&Type, Option<&Type>)> {
    let Type::Path(TypePath { path, .. }) = ungrouped(ty) else { return None };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(args) = &last.arguments else { return None };
    let types: Vec<&Type> = args
        .args
        .iter()
        .filter_map(|arg| match arg {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
        .collect();
    match (last.ident.to_string().as_str(), types.as_slice()) {
        ("Result", [ok, error]) => Some((ok, Some(*error).filter(|error| !is_called(error, "ModuleError")))),
        ("ModuleResult", [ok]) => Some((ok, None)),
        _ => None,
    }
}

/// Whether a path ends in that name.
fn is_called(ty: &Type, name: &str) -> bool {
    matches!(ungrouped(ty), Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}
