//! Verbs that work on files: a crate is made or built, a library is looked at.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use helix_host::{Cancel, Cargo, Configuration, Directory, InfoView, Library, read_records};
use helix_runtime::check_name;
use serde_json::{Value, json};

use super::ask::Asker;
use super::show;
use super::talk::{Ended, Talk, shown};
use crate::How;

impl How {
    pub fn cargo(&self, talk: &Talk) -> Cargo {
        Cargo { release: self.release, debuginfo: self.debuginfo, progress: talk.is_terminal(), ..Cargo::default() }
    }
}

/// Makes a module crate with a test.
pub fn new(talk: &Talk, name: &str) -> Result<(), Ended> {
    if !check_name(name) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err(Ended::usage(format!(
            "found the name `{name}`, expected lower-case words and digits joined by single `.`, `_`, `/` or `-`, that begin with a letter"
        )));
    }
    let package = name.replace(['.', '/'], "-");
    // What the compiler or cargo has another meaning for, and the host's own name.
    let is_taken = ["helix", "test", "std", "core", "alloc", "proc_macro"].contains(&package.as_str())
        || is_keyword(&package.replace('-', "_"));
    if is_taken {
        return Err(Ended::usage(format!("found the name `{name}`, which has a meaning of its own; choose another")));
    }
    let folder = Path::new(&package);
    if folder.exists() {
        return Err(Ended {
            exit: 4,
            ..Ended::failed(format!("{} is there already; choose another name", folder.display()))
        });
    }
    write_crate(folder, name, &package)?;
    talk.step("created", &format!("module `{name}` in {}", folder.display()));
    if let Some(workspace) = foreign_workspace(folder) {
        talk.say(&format!("  first add \"{package}\" to the `members` of {}", workspace.display()));
    }
    talk.say(&format!("  cargo test --manifest-path {0}/Cargo.toml  # its test\n  helix watch {0}  # run it, and reload it whenever it is edited", folder.display()));
    Ok(())
}

/// The manifest of a workspace above a crate that does not count it in, so that cargo refuses the crate.
fn foreign_workspace(folder: &Path) -> Option<PathBuf> {
    let refused = MetadataCommand::new().manifest_path(folder.join("Cargo.toml")).no_deps().exec().is_err();
    let above = fs::canonicalize(folder).ok()?;
    let manifests = above.ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
    let is_workspace = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.parse::<toml::Table>().is_ok_and(|manifest| manifest.contains_key("workspace"))
    };
    if refused { { manifests }.find(is_workspace) } else { None }
}

/// Writes a module crate: what `helix new` makes.
pub fn write_crate(folder: &Path, name: &str, package: &str) -> Result<(), Ended> {
    let ident: String = name.split(['.', '/', '-', '_']).map(capitalised).collect();
    let library = package.replace('-', "_");
    // A path where this command was built from the source, and the version that belongs to it else.
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let version = env!("CARGO_PKG_VERSION");
    let dependency = match runtime.canonicalize() {
        Ok(path) => format!("{{ path = {path:?} }}"),
        Err(_) => format!("{version:?}"),
    };
    let fill = |text: &str| {
        let filled = text.replace("@package@", package).replace("@name@", name).replace("@ident@", &ident);
        filled.replace("@library@", &library).replace("@runtime@", &dependency)
    };
    fs::create_dir_all(folder.join("src"))?;
    fs::create_dir_all(folder.join("tests"))?;
    fs::write(folder.join("Cargo.toml"), fill(include_str!("new/manifest.txt")))?;
    fs::write(folder.join("src/lib.rs"), fill(include_str!("new/lib.txt")))?;
    fs::write(folder.join("tests/module.rs"), fill(include_str!("new/test.txt")))?;
    Ok(())
}

/// Whether Rust has that word for itself.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false final fn \
        for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true \
        try type typeof unsafe unsized use virtual where while yield";
    KEYWORDS.split_ascii_whitespace().any(|keyword| keyword == word)
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// Builds module crates into sealed libraries.
pub fn build(talk: &Talk, crates: &[PathBuf], how: &How, as_json: bool) -> Result<(), Ended> {
    let cargo = how.cargo(talk);
    let mut all = Vec::new();
    for folder in crates {
        let module = cargo.find(folder)?;
        let built = cargo.build(&module, &Cancel::default(), &mut |bytes| talk.pass(bytes)).map_err(|failure| {
            if let helix_host::BuildFailure::Compiler { rendered, .. } = &failure {
                talk.pass(rendered.as_bytes());
            }
            Ended::from(failure)
        })?;
        talk.pass(built.warnings.as_bytes());
        talk.step(
            "built",
            &format!("{} ({:.0} ms), build {}", built.module, built.cargo.as_secs_f64() * 1e3, built.build),
        );
        if as_json {
            all.push(json!({ "module": built.module, "path": built.path, "build": built.build.to_string() }));
        } else {
            show::line(&shown(&built.path))?;
        }
    }
    if as_json { show::json(&all) } else { Ok(()) }
}

/// What a file says of its modules; what is in force for one of the running host.
pub fn info(ask: &Asker<'_>, what: &str) -> Result<(), Ended> {
    let path = Path::new(what);
    // A crate's folder has the name of its module.
    if !path.is_file() {
        let is_path = what.ends_with(".so") || what.contains(std::path::MAIN_SEPARATOR) && !check_name(what);
        if is_path {
            return Err(
                Ended { exit: 3, ..Ended::failed(format!("{what}: found no such file")) }.try_next("helix build")
            );
        }
        return ask.info(what.into()).map_err(|ended| match ended.exit {
            6 => Ended { message: format!("found no file `{what}`, and {}", ended.message), ..ended },
            3 => ended.try_next("helix ls"),
            _ => ended,
        });
    }
    let records = read_records(path)?;
    if records.is_empty() {
        let message = format!("{}: found no record of a module in it", path.display());
        return Err(Ended { exit: 4, ..Ended::failed(message) }.try_next("helix build"));
    }
    let mut views: Vec<InfoView> = records.iter().map(InfoView::of_record).collect();
    if let ([view], Ok(library)) = (views.as_mut_slice(), Library::open(path)) {
        view.file = Some(shown(path));
        view.build = Some(library.build.to_string());
    }
    if ask.json {
        return show::json(&views);
    }
    views.iter().try_for_each(show::info)
}

/// Whether a directory would load, in what order, else why not: every fault.
pub fn check(talk: &Talk, folder: &Path, config: Option<&Path>, as_json: bool) -> Result<(), Ended> {
    let configuration = config.map(Configuration::read).transpose()?.unwrap_or_default();
    let directory = Directory::read(folder)?;
    let checked = directory.check(&[], &configuration.modules);
    let faults = directory.faults(&configuration);
    let order = if faults.is_empty() { checked.order.as_slice() } else { &[] };
    if as_json {
        let order: Vec<Value> = order.iter().map(|info| json!(info.name)).collect();
        show::json(&json!({ "order": order, "faults": faults }))?;
    } else {
        for (at, (info, needs)) in order.iter().zip(&checked.needs).enumerate() {
            let needs: Vec<&str> = needs.iter().flatten().copied().collect();
            let needs = if needs.is_empty() { String::new() } else { format!("  needs {}", needs.join(", ")) };
            show::line(&format!("{:>3} {} {}{needs}", at + 1, info.name, info.version))?;
        }
        if checked.order.is_empty() && faults.is_empty() {
            talk.say(&format!("{}: found no libraries in it", folder.display()));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    faults.iter().for_each(|fault| talk.error(fault, None));
    let count = if faults.len() == 1 { "one fault".into() } else { format!("{} faults", faults.len()) };
    Err(Ended { exit: 4, ..Ended::failed(format!("{} would not load: {count}", folder.display())) })
}
