//! Programs that have joined: each is a module from then on, and takes the place of the one before it.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use super::{HostFault, Shared};
use crate::load::file_name;
use crate::process::{Door, Joined};

impl Shared {
    /// Opens the socket on which programs join, where one is configured.
    pub(super) fn let_programs_join(self: &Arc<Self>) -> Result<Option<Door>, HostFault> {
        let configuration = self.configured.first();
        let Some(path) = &configuration.join else { return Ok(None) };
        let root = configuration.data_dir.as_ref().map(PathBuf::from);
        let placed = configuration.placed.iter().filter(|(_, placing)| placing.joins);
        let invited = placed.map(|(module, placing)| {
            let mut placing = placing.clone();
            placing.sandbox.data_dir = root.as_ref().map(|root| root.join(file_name(module)));
            (module.clone(), placing)
        });
        let shared: Weak<Self> = Arc::downgrade(self);
        let taken = move |joined: Joined| {
            let shared = shared.upgrade().ok_or("the host is ending")?;
            shared.take_in(joined).map_err(|fault| fault.to_string())
        };
        Ok(Some(Door::open(path, invited.collect(), taken)?))
    }

    fn take_in(&self, joined: Joined) -> Result<(), HostFault> {
        let _change = self.changing.begin()?;
        let (name, version) = (joined.info.name, joined.info.version);
        let descriptor = self.loader.take_in(joined)?;
        let taken = match self.runtime.module_id(name) {
            Ok(id) => self.runtime.replace(id, descriptor).map(drop),
            Err(_) => self.runtime.add_descriptor(descriptor).map(drop),
        };
        taken.inspect_err(|_| self.loader.let_go(descriptor))?;
        log::info!(target: name, "{version} has joined");
        Ok(())
    }
}
