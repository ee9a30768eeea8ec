//! Every option of `#[helix_module]` that is no list of others.

use helix_runtime::prelude::*;
use helix_runtime::{Module, ModuleFlags, ModuleKind};

/// A doc comment that `description` replaces.
#[helix_module(
    name = "drivers/disk.ahci_0",
    version = "1.2.3-rc.1+build.5",
    description = "Reads and writes \"sectors\".",
    author = "An author <a@example.org>",
    license = "MIT",
    kind = core,
    flags = ESSENTIAL | DRIVER | SECURITY,
    features = ["ncq", "trim"],
    permissions = ["dma", "irq"],
    stateless
)]
#[derive(Default)]
pub struct Disk;

#[helix_handlers]
impl Disk {}

#[test]
fn the_options_are_its_metadata() {
    let info = Disk::INFO;
    assert_eq!((info.name, info.version.to_string().as_str()), ("drivers/disk.ahci_0", "1.2.3-rc.1"));
    assert_eq!(info.description, "Reads and writes \"sectors\".");
    assert_eq!((info.author, info.license), ("An author <a@example.org>", "MIT"));
    assert_eq!(info.kind, Some(ModuleKind::Core));
    assert_eq!(info.flags, ModuleFlags::ESSENTIAL | ModuleFlags::DRIVER | ModuleFlags::SECURITY);
    assert_eq!(info.features, ["ncq", "trim"]);
    assert_eq!(info.permissions, ["dma", "irq"]);
}
