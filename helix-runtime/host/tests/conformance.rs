//! The suite of `helix-conformance` for modules in libraries that are really built and loaded.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use helix_conformance::{Part, Placement};
use helix_host::{Cancel, Cargo, Isolation, Library, Loader, Placing, Placings};
use helix_runtime::Descriptor;

/// In a library of its own, loaded into the program.
struct Dylib;

static LOADER: LazyLock<Loader> = LazyLock::new(|| Loader::new().expect("there is a folder for temporary files"));

/// Every module of the suite, built and loaded.
static LIBRARIES: LazyLock<BTreeMap<String, (PathBuf, &'static Descriptor)>> = LazyLock::new(|| {
    let suite = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance")).canonicalize().unwrap();
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    let modules = suite.join("src/modules");
    let sources = fs::read_dir(&modules).unwrap().map(|entry| entry.unwrap().path());
    let names = sources.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string());
    let names: Vec<String> = names.filter(|name| name != "mod").collect();
    let members: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    write(&root.join("Cargo.toml"), &format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(", ")));
    for name in &names {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\npath = {:?}\n\
             [dependencies]\nhelix-runtime = {{ path = {:?} }}\nhelix-conformance = {{ path = {suite:?} }}\n",
            modules.join(format!("{name}.rs")),
            suite.join("..").canonicalize().unwrap(),
        );
        write(&root.join(name).join("Cargo.toml"), &manifest);
    }
    fs::copy(suite.join("../../Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let cargo = Cargo::default();
    let build = |name: String| {
        let module = cargo.find(&root.join(&name)).unwrap();
        let built =
            cargo.build(&module, &Cancel::default(), &mut |_| {}).unwrap_or_else(|error| panic!("{error}: {error:?}"));
        let descriptor = LOADER.load(&built.path).unwrap().descriptor;
        (name, (built.path, descriptor))
    };
    names.into_iter().map(build).collect()
});

/// Leaves a file as it is that is right already, so that nothing is built anew.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::write(path, text).unwrap();
}

impl Placement for Dylib {
    fn descriptor(&self, part: Part) -> &'static Descriptor {
        LIBRARIES[part.source].1
    }
}

/// In a library that a process of its own has loaded.
struct Process;

/// The same modules, each instance of which is served by a process.
static SERVED: LazyLock<BTreeMap<&'static str, &'static Descriptor>> = LazyLock::new(|| {
    let libraries = || LIBRARIES.iter().map(|(source, built)| (source.as_str(), Library::open(&built.0).unwrap()));
    let placing = || Placing { isolation: Isolation::Process, deadline: Duration::from_secs(20), ..Placing::default() };
    let placings = Placings {
        command: Some(env!("CARGO_BIN_EXE_helix").into()),
        modules: libraries().map(|(_, library)| (library.name().to_string(), placing())).collect(),
        ..Placings::default()
    };
    let loader = Loader::new().unwrap().with_placings(placings);
    let served = libraries()
        .map(|(source, library)| {
            let loaded = loader.load_library(&library).unwrap_or_else(|fault| panic!("{fault}"));
            (source, loaded.descriptor)
        })
        .collect();
    // The copies that the processes load lie in its folder.
    std::mem::forget(loader);
    served
});

impl Placement for Process {
    fn descriptor(&self, part: Part) -> &'static Descriptor {
        SERVED[part.source]
    }
}

/// Once everything is built: the time that this takes is no case's.
fn built<T, P>(all: &LazyLock<T>, placement: P) -> P {
    LazyLock::force(all);
    placement
}

helix_conformance::rows! { dylib: built(&LIBRARIES, Dylib), process: built(&SERVED, Process) }
