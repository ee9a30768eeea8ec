//! Writes a record: in const for a module's file, at run time for tools.

use alloc::vec::Vec;

use super::{HEADER, MAGIC, header_text};
use crate::abi::AbiTag;
use crate::descriptor::{Descriptor, Entry, EntryKind, RequestEntry, RequestFn};
use crate::event::Hears;
use crate::info::{Dependency, ModuleFlags};
use crate::schema::{FNV_OFFSET, Out, fnv};

/// How long a module's record is.
#[doc(hidden)]
pub const fn record_len(descriptor: &Descriptor) -> usize {
    let mut out = Out::measuring();
    write_body(&mut out, descriptor);
    HEADER + out.len
}

/// A module's record.
#[doc(hidden)]
pub const fn record<const N: usize>(descriptor: &Descriptor) -> [u8; N] {
    let mut record = [0; N];
    let (header, body) = record.split_at_mut(HEADER);
    write_body(&mut Out::into(body), descriptor);
    let sum = fnv(body, FNV_OFFSET);
    let mut out = Out::into(header);
    out.text(MAGIC);
    out.text("length=");
    let mut digits = 10_000_000;
    while digits > 0 {
        out.number((body.len() as u64 / digits) % 10);
        digits /= 10;
    }
    out.text(" fnv=");
    write_hex(&mut out, sum);
    record
}

const fn write_hex(out: &mut Out<'_>, number: u64) {
    let mut shift = 64;
    while shift > 0 {
        shift -= 4;
        let digit = [b"0123456789abcdef"[(number >> shift) as usize & 15]];
        if let Ok(digit) = core::str::from_utf8(&digit) {
            out.text(digit);
        }
    }
}

const fn field(out: &mut Out<'_>, key: &str, value: &str) {
    if !value.is_empty() {
        out.text(key);
        out.text("=");
        value_text(out, value);
        out.text("\0");
    }
}

/// A zero would end the value: it becomes a blank.
const fn value_text(out: &mut Out<'_>, value: &str) {
    let bytes = value.as_bytes();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == 0 {
            out.text(value.split_at(at).0.split_at(start).1);
            out.text(" ");
            start = at + 1;
        }
        at += 1;
    }
    out.text(value.split_at(start).1);
}

const fn fields(out: &mut Out<'_>, key: &str, values: &[&str]) {
    let mut at = 0;
    while at < values.len() {
        field(out, key, values[at]);
        at += 1;
    }
}

const fn write_body(out: &mut Out<'_>, descriptor: &Descriptor) {
    let info = &descriptor.info;
    field(out, "name", info.name);
    out.text("version=");
    out.number(info.version.major);
    out.text(".");
    out.number(info.version.minor);
    out.text(".");
    out.number(info.version.patch);
    if !info.version.pre.is_empty() {
        out.text("-");
        out.text(info.version.pre);
    }
    out.text("\0");
    field(out, "description", info.description);
    field(out, "author", info.author);
    field(out, "license", info.license);
    if let Some(kind) = info.kind {
        field(out, "kind", kind.as_str());
    }
    write_flags(out, info.flags);
    write_abi(out, &descriptor.abi);
    fields(out, "provides", info.provides);
    let mut at = 0;
    while at < info.dependencies.len() {
        write_dependency(out, &info.dependencies.get(at));
        at += 1;
    }
    fields(out, "feature", info.features);
    fields(out, "permission", info.permissions);
    write_entries(out, descriptor.handlers);
    let mut at = 0;
    while at < descriptor.contracts.len() {
        write_entries(out, descriptor.contracts[at]);
        at += 1;
    }
    let mut at = 0;
    while at < descriptor.settings.len() {
        let key = &descriptor.settings[at].key;
        out.text("config=");
        out.text(key.name);
        out.text(": ");
        out.text(key.ty);
        if let Some(default) = key.default {
            out.text(" = ");
            value_text(out, default);
        }
        out.text("\0");
        at += 1;
    }
}

const fn write_flags(out: &mut Out<'_>, flags: ModuleFlags) {
    let (mut at, mut first) = (0, true);
    while at < ModuleFlags::NAMES.len() {
        let (name, flag) = ModuleFlags::NAMES[at];
        if flags.contains(flag) {
            out.text(if first { "flags=" } else { " | " });
            out.text(name);
            first = false;
        }
        at += 1;
    }
    if !first {
        out.text("\0");
    }
}

const fn write_abi(out: &mut Out<'_>, abi: &AbiTag) {
    field(out, "abi.target", abi.target);
    field(out, "abi.rustc", abi.rustc);
    field(out, "abi.panic", abi.panic);
    field(out, "abi.runtime", abi.runtime);
    out.text("abi.layout=");
    write_hex(out, abi.layout);
    out.text("\0");
    // A descriptor is made where this is compiled: its types are these.
    let mut at = 0;
    while at < AbiTag::TYPES.len() {
        let (name, hash) = AbiTag::TYPES[at];
        out.text("abi.type=");
        out.text(name);
        out.text(" ");
        write_hex(out, hash);
        out.text("\0");
        at += 1;
    }
}

const fn write_dependency(out: &mut Out<'_>, dependency: &Dependency) {
    out.text("depends=");
    out.text(dependency.name);
    out.text(" ");
    out.text(dependency.requirement.as_str());
    let mut at = 0;
    while at < dependency.features.len() {
        out.text(if at == 0 { " [" } else { "," });
        out.text(dependency.features[at]);
        at += 1;
    }
    if at > 0 {
        out.text("]");
    }
    if dependency.optional {
        out.text(" optional");
    }
    out.text("\0");
}

const fn write_entries(out: &mut Out<'_>, entries: &[Entry]) {
    let mut at = 0;
    while at < entries.len() {
        match &entries[at].kind {
            EntryKind::Step(..) => {}
            EntryKind::Event { hears, .. } => field(
                out,
                "topic",
                match hears {
                    Hears::Type { name, .. } | Hears::Named(name) => name,
                    Hears::All => "*",
                },
            ),
            EntryKind::Request(request) => write_request(out, request),
            EntryKind::Save { version, shape, .. } | EntryKind::Restore { version, shape, .. } => {
                let saves = matches!(entries[at].kind, EntryKind::Save { .. });
                out.text(if saves { "state=" } else { "restores=" });
                out.number(*version as u64);
                out.text(" ");
                shape.write(out);
                out.text("\0");
            }
        }
        at += 1;
    }
}

const fn write_request(out: &mut Out<'_>, request: &RequestEntry) {
    out.text("request=");
    out.text(request.name);
    match &request.call {
        RequestFn::Raw(_) => out.text("(raw)"),
        RequestFn::Typed(_, codec) => {
            let (args, reply) = codec.shapes();
            args.write_named(out, request.params);
            out.text("->");
            reply.write(out);
        }
    }
    out.text("\0");
    if let Some(permission) = request.permission {
        out.text("needs=");
        out.text(request.name);
        out.text(" ");
        out.text(permission);
        out.text("\0");
    }
    if !request.doc.is_empty() {
        out.text("doc=");
        out.text(request.name);
        out.text(" ");
        value_text(out, request.doc);
        out.text("\0");
    }
}

/// A module's record, for tools that make one at run time.
pub fn write(descriptor: &Descriptor) -> Vec<u8> {
    let mut out = Out::measuring();
    write_body(&mut out, descriptor);
    let mut body = alloc::vec![0; out.len];
    write_body(&mut Out::into(&mut body), descriptor);
    let mut record = header_text(body.len(), fnv(&body, FNV_OFFSET)).into_bytes();
    record.resize(HEADER, 0);
    record.extend(body);
    record
}
