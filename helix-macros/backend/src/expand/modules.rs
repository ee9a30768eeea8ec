//! The expression that `modules![..]` stands for: a checked set, and its records.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;

use super::{runtime_at, span_of};
use crate::model::Modules;

/// Expands the list; one that is wrong to an empty set.
pub fn modules(model: &Modules, sound: bool) -> TokenStream {
    let Modules { runtime: rt, members, open } = model;
    let span = Span::mixed_site();
    if !sound {
        return quote_spanned!(span=> #rt::ModuleSet::new(&[], #open));
    }
    let count = Literal::usize_unsuffixed(members.len());
    let descriptors = members.iter().map(|member| {
        let span = span_of(member);
        let rt = runtime_at(rt, span);
        quote_spanned!(span=> <#member as #rt::Module>::DESCRIPTOR)
    });
    let checks = members.iter().enumerate().map(|(at, member)| {
        let span = span_of(member);
        let rt = runtime_at(rt, span);
        let at = Literal::usize_unsuffixed(at);
        quote_spanned!(span=> const _: () = #rt::glue::check_member(SET, #at, #open);)
    });
    let records = (0..members.len()).map(|at| {
        let at = Literal::usize_unsuffixed(at);
        quote_spanned!(span=> #rt::glue::record! { SET[#at] })
    });
    quote_spanned! {span=> {
        const SET: &[&#rt::glue::Descriptor] = &[#(#descriptors),*];
        #(#checks)*
        const _: () = #rt::glue::check_cycle::<#count>(SET);
        #(#records)*
        #rt::ModuleSet::new(SET, #open)
    }}
}
