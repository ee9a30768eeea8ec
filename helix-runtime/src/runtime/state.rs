//! A module's state outside of it: what `on_save` gave and `on_restore` takes back.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::context::Context;
use crate::descriptor::{EntryKind, Status};
use crate::error::{IpcError, ModuleError, ModuleResult};
use crate::runtime::Runtime;
use crate::runtime::dispatch::{Inner, Patience};
use crate::runtime::slot::{Access, Refused, Slot};

/// What a module has saved. The version and the schema say which `on_restore` can take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedState {
    /// The module that saved it.
    pub module: String,
    /// The version that its `on_save` names.
    pub version: u32,
    /// The hash of the saved type's schema.
    pub schema: u64,
    /// The state, in postcard.
    pub bytes: Vec<u8>,
}

impl Runtime {
    /// Asks a running module for its state; `None` when it has no `on_save`.
    ///
    /// A later runtime takes it back; see [`Builder::state`](crate::Builder::state).
    pub fn save(&self, module: &str) -> ModuleResult<Option<SavedState>> {
        let inner = &*self.inner;
        let slot = inner
            .slots
            .iter()
            .find(|slot| slot.name() == module)
            .ok_or_else(|| IpcError::ModuleNotFound { name: module.to_string() })?;
        for entry in &slot.entries {
            let EntryKind::Save { version, shape, call } = entry.kind else { continue };
            let access = slot.access(entry.exclusive);
            let up = inner.up_context();
            let entered = inner.enter(slot, access, up, Patience::ENDLESS).map_err(|refused| match refused {
                Refused::Busy => inner.busy(up, slot),
                Refused::NotRunning => IpcError::NotRunning { module: module.to_string(), state: slot.state() },
            })?;
            let mut bytes = Vec::new();
            inner.on_behalf(slot, access != Access::Free, |cx| match entered.save(call, &mut bytes, cx) {
                Status::Handled => Ok(()),
                Status::Panicked => Err(inner.crashed(entered, slot, cx)),
                _ => Err(cx.take_fault()),
            })?;
            return Ok(Some(SavedState { module: module.to_string(), version, schema: shape.hash(), bytes }));
        }
        Ok(None)
    }
}

impl Inner {
    /// Gives a module that does not run yet a state back, by the `on_restore` of that version.
    pub(super) fn restore(&self, slot: &Slot, state: &SavedState, cx: &Context) -> ModuleResult<()> {
        let refused = |reason: String| ModuleError::State { found: state.version, reason: reason.into() };
        for entry in &slot.entries {
            let EntryKind::Restore { version, shape, call } = entry.kind else { continue };
            if version != state.version {
                continue;
            }
            if shape.hash() != state.schema {
                return Err(refused(format!(
                    "`#[on_restore(version = {version})]` takes {shape}, and what was saved is of another schema; \
                     raise the version, and keep a handler for the old one"
                )));
            }
            return slot
                .restore(call, &state.bytes, cx)
                .unwrap_or_else(|| Err(refused(format!("its {} bytes are not {shape}", state.bytes.len()))));
        }
        Err(refused(format!(
            "`{}` has no handler for it; add `#[on_restore(version = {})]`",
            slot.name(),
            state.version
        )))
    }
}
