//! The configuration's text, in which the listener's address has a place.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use helix_host::Configuration;

use crate::running::{Fault, io_fault};

/// What stands for the address.
pub const PLACE: &str = "{webhook}";

/// A configuration that was read, and is one.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    text: String,
}

impl NodeConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no configuration, or has no place for the address.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let text = fs::read_to_string(path).map_err(io_fault(path.display().to_string()))?;
        Configuration::parse(&text, path)?;
        if text.contains(PLACE) { Ok(Self { text }) } else { Err(Fault::NoWebhook(path.into())) }
    }

    /// The same with another text in a place.
    ///
    /// # Panics
    /// If the text to replace is not there.
    #[must_use]
    pub fn with(&self, old: &str, new: &str) -> Self {
        assert!(self.text.contains(old), "the configuration has no `{old}`");
        Self { text: self.text.replace(old, new) }
    }

    /// Writes it into a folder as editors do, so that nobody reads half of it. Gives the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path, webhook: SocketAddr) -> Result<PathBuf, Fault> {
        let (file, new) = (folder.join("node.toml"), folder.join("node.toml.new"));
        fs::write(&new, self.text.replace(PLACE, &webhook.to_string())).map_err(io_fault(new.display().to_string()))?;
        fs::rename(&new, &file).map_err(io_fault(file.display().to_string()))?;
        Ok(file)
    }
}
