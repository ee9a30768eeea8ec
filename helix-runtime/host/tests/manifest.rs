//! `module.toml` beside a library: what it says holds, and what is wrong with it is told before anything is loaded.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use helix_host::{Configuration, Host, Library, keygen, sign};

const MESH: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
#[helix_module(name = "mesh", flags = HOT_RELOADABLE, stateless, permissions = ["call/node", "publish/mesh"])]
#[derive(Default)]
pub struct Mesh { #[config(default = 3)] ttl: u32, #[config(default = "none")] motto: String }
#[helix_handlers]
impl Mesh {
    #[on_init]
    fn init(&mut self) -> Result<(), ModuleError> {
        if self.motto == "never" { Err(ModuleError::new("found a motto that nobody lives by")) } else { Ok(()) }
    }
    #[on_request]
    fn motto_now(&self, ctx: &Context) -> String { ctx.config_or("motto", "none").into() }
    #[on_request]
    fn configured(&self) -> (u32, String) { (self.ttl, self.motto.clone()) }
    #[on_request]
    fn files(&self) -> u64 {
        let files: Vec<_> = (0..1000).map_while(|_| std::fs::File::open("/dev/null").ok()).collect();
        files.len() as u64
    }
    #[on_request]
    fn publishes(&self, ctx: &Context) -> Result<(), ModuleError> {
        let result = ctx.publish(&Event::Custom(Custom::new("mesh.packet", vec![])));
        result.first_error.map_or(Ok(()), |(_, error)| Err(error))
    }
}
"#;

static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| support::library(&support::folder("manifest"), "mesh", MESH));

/// A folder with the library and this beside it.
fn folder(test: &str, name: &str, manifest: &str) -> PathBuf {
    let folder = support::folder(test);
    fs::copy(&*LIBRARY, folder.join("mesh.so")).unwrap();
    fs::write(folder.join(name), manifest).unwrap();
    folder
}

fn start(folder: &Path, host: &str, sections: &str) -> Result<Host, helix_host::HostFault> {
    let text = format!("[host]\ncommand = {:?}\n{host}\n{sections}", env!("CARGO_BIN_EXE_helix"));
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    Host::builder().directory(folder)?.configuration(configuration).start()
}

const IDENTITY: &str = "[module]\nname = \"mesh\"\nversion = \"0.1.0\"\n";

#[test]
fn its_values_stand_for_the_defaults_and_the_hosts_configuration_comes_before() {
    let manifest = format!("{IDENTITY}[config]\nttl = 7\nmotto = \"onwards\"\n");
    let folder = folder("manifest_config", "module.toml", &manifest);
    let host = start(&folder, "", "[mesh]\nttl = 9\n").unwrap();
    let configured = |host: &Host| host.runtime().call::<(), (u32, String)>("mesh.configured", ()).unwrap();
    assert_eq!(configured(&host), (9, "onwards".into()));
    // What a file says that comes with another library counts from then on.
    let other = folder.join("other");
    fs::create_dir_all(&other).unwrap();
    let library = support::patched(&fs::read(&*LIBRARY).unwrap(), b"/dev/null", b"/dev/zero");
    fs::write(other.join("mesh.so"), library).unwrap();
    fs::write(other.join("mesh.module.toml"), manifest.replace("onwards", "upwards")).unwrap();
    host.reload("mesh", Some(&other.join("mesh.so"))).unwrap();
    assert_eq!(configured(&host), (9, "upwards".into()));
}

#[test]
fn an_edited_one_of_the_same_build_is_taken_and_one_that_fails_leaves_all_as_it_was() {
    for placed in ["", "modules.mesh = { isolation = \"process\" }"] {
        let manifest = format!("{IDENTITY}[config]\nmotto = \"onwards\"\n");
        let folder = folder("manifest_edited", "module.toml", &manifest);
        let edit = |motto: &str| {
            fs::write(folder.join("module.toml"), manifest.replace("onwards", motto)).unwrap();
        };
        let host = start(&folder, placed, "").unwrap();
        let motto = || host.runtime().call::<(), String>("mesh.motto_now", ()).unwrap();
        let serves = || host.info("mesh").unwrap().process;
        assert!(!host.reload("mesh", None).unwrap().changed);
        edit("upwards");
        assert!(host.reload("mesh", None).unwrap().changed, "{placed}");
        assert_eq!(motto(), "upwards");
        assert_eq!(host.runtime().call::<(), (u32, String)>("mesh.configured", ()).unwrap().1, "upwards");
        let mapped = host.mapped();
        assert_eq!(mapped.0, usize::from(placed.is_empty()), "the same build is mapped once");

        let served_by = serves();
        edit("never");
        let fault = host.reload("mesh", None).unwrap_err().to_string();
        assert!(fault.contains("found a motto that nobody lives by"), "{fault}");
        assert_eq!(motto(), "upwards", "{placed}");
        assert_eq!(serves(), served_by, "{placed}");
        assert_eq!(host.permissions().len(), usize::from(served_by.is_some()));
        // The one before it comes back.
        edit("onwards");
        assert!(host.reload("mesh", None).unwrap().changed);
        assert_eq!(motto(), "onwards", "{placed}");
        let now = serves();
        assert!(now.is_none() || now != served_by, "what is shown is what serves");
    }
}

#[test]
fn its_limits_and_permissions_are_enforced() {
    let manifest = format!("{IDENTITY}permissions = [\"call/node\"]\n[limits]\nfiles = 32\n");
    let folder = folder("manifest_limits", "mesh.module.toml", &manifest);
    let grant = "grant = [\"call\", \"publish\"]";
    let host = start(&folder, &format!("modules.mesh = {{ isolation = \"process\", {grant} }}"), "").unwrap();
    let files = host.runtime().call::<(), u64>("mesh.files", ()).unwrap();
    assert!((10..32).contains(&files), "{files}");
    let publishes = host.runtime().call::<(), ()>("mesh.publishes", ());
    assert!(format!("{publishes:?}").contains("publish/mesh.packet"), "{publishes:?}");
    assert_eq!(host.permissions()[0].asked, ["call/node"]);
    // The higher limit does not count.
    let manifest = manifest.replace("files = 32", "files = 900");
    fs::write(folder.join("mesh.module.toml"), manifest).unwrap();
    let host = start(&folder, "modules.mesh = { isolation = \"process\", files = 64 }", "").unwrap();
    let files = host.runtime().call::<(), u64>("mesh.files", ()).unwrap();
    assert!((32..64).contains(&files), "{files}");
}

#[test]
fn what_is_wrong_is_told_at_once_with_line_and_column_and_nothing_is_loaded() {
    let manifest = "[module]\nname = \"mash\"\nversion = \"0.2.0\"\n[config]\ntll = 7\n[limits]\nfiles = 0\n";
    let folder = folder("manifest_wrong", "module.toml", manifest);
    let path = folder.join("module.toml");
    let path = path.display();
    let expected = format!(
        "{path}:2:8: found \"mash\", expected \"mesh\", which is what the library says\n\
         {path}:3:11: found \"0.2.0\", expected \"0.1.0\", which is what the library says\n\
         {path}:5:1: found the key `tll`, expected one of `ttl`, `motto`; did you mean `ttl`?\n\
         {path}:7:9: found 0, expected a whole number from 1 to 4294967295"
    );
    let fault = start(&folder, "", "").unwrap_err().to_string();
    assert!(fault.contains(&expected), "{fault}");
    let checked = Command::new(env!("CARGO_BIN_EXE_helix")).arg("check").arg(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(4), "{said}");
    assert!(said.contains("module.toml:5:1"), "{said}");
    let host = Host::builder().start().unwrap();
    assert!(host.load(&folder.join("mesh.so")).unwrap_err().to_string().contains(&expected));
}

#[test]
fn a_signature_in_it_counts_as_one_beside_the_library() {
    let folder = folder("manifest_signed", "module.toml", IDENTITY);
    let library = folder.join("mesh.so");
    let key = keygen(&folder.join("key")).unwrap();
    let signatures = format!("signatures = {{ policy = \"required\", keys = [\"{key}\"] }}");
    assert!(
        start(&folder, &signatures, "").unwrap_err().to_string().contains("found 0 of the trusted keys' signatures")
    );
    sign(&Library::open(&library).unwrap(), &folder.join("key")).unwrap();
    let line = fs::read_to_string(folder.join("mesh.so.sig")).unwrap();
    fs::remove_file(folder.join("mesh.so.sig")).unwrap();
    let signature = line.split_whitespace().nth(2).unwrap();
    fs::write(folder.join("module.toml"), format!("{IDENTITY}[signatures]\n\"{key}\" = \"{signature}\"\n")).unwrap();
    drop(start(&folder, &signatures, "").unwrap());
    let forged = signature.replace(&signature[..4], "0000");
    fs::write(folder.join("module.toml"), format!("{IDENTITY}[signatures]\n\"{key}\" = \"{forged}\"\n")).unwrap();
    assert!(start(&folder, &signatures, "").unwrap_err().to_string().contains("of other bytes"));
}
