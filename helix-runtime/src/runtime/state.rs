//! A module's state outside of it: what `on_save` gave and `on_restore` takes back.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::descriptor::EntryKind;
use crate::error::{IpcError, ModuleError, ModuleResult};
use crate::runtime::slot::{Refused, Slot};
use crate::runtime::{Inner, Runtime};

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
    pub fn save(&self, module: &str) -> ModuleResult<Option<SavedState>> {
        let slot = self.inner.running(module)?;
        for entry in &slot.entries {
            if let EntryKind::Save { version, shape, call } = entry.kind {
                let entered = self.inner.enter_for(slot, entry.exclusive)?;
                let mut bytes = Vec::new();
                self.inner.on_behalf(slot, |cx| entered.save(call, &mut bytes, cx))?;
                let module = module.to_string();
                return Ok(Some(SavedState { module, version, schema: shape.hash(), bytes }));
            }
        }
        Ok(None)
    }

    /// Gives a running module back a state, by the `on_restore` of that version.
    ///
    /// # Errors
    /// [`ModuleError::State`] when no `on_restore` has that version and schema; it says which to add.
    pub fn restore(&self, state: &SavedState) -> ModuleResult<()> {
        let slot = self.inner.running(&state.module)?;
        let refused = |reason: String| ModuleError::State { found: state.version, reason: reason.into() };
        for entry in &slot.entries {
            let EntryKind::Restore { version, shape, call } = entry.kind else { continue };
            if version != state.version {
                continue;
            }
            if shape.hash() != state.schema {
                return Err(refused(format!(
                    "`#[on_restore(version = {version})]` takes {shape}, whose schema is another; raise the version and keep a handler for the old one"
                )));
            }
            let entered = self.inner.enter_for(slot, entry.exclusive)?;
            return self
                .inner
                .on_behalf(slot, |cx| entered.restore(call, &state.bytes, cx))
                .unwrap_or_else(|| Err(refused(format!("its {} bytes are not {shape}", state.bytes.len()))));
        }
        Err(refused(format!(
            "`{}` has no handler for it; add `#[on_restore(version = {})]`",
            state.module, state.version
        )))
    }
}

impl Inner {
    fn running(&self, module: &str) -> ModuleResult<&Slot> {
        self.slots
            .iter()
            .find(|slot| slot.name() == module)
            .ok_or_else(|| IpcError::ModuleNotFound { name: module.to_string() }.into())
    }

    fn enter_for<'a>(&self, slot: &'a Slot, exclusive: bool) -> ModuleResult<super::slot::Entered<'a>> {
        let up = self.up_context();
        self.enter(slot, slot.access(exclusive), up).map_err(|refused| match refused {
            Refused::Busy => self.busy(up, slot).into(),
            Refused::NotRunning => IpcError::NotRunning { module: slot.name().to_string(), state: slot.state() }.into(),
        })
    }
}
