//! The command's output, line for line: each file below `cmd` is a list of commands and what they say.
//!
//! `TRYCMD=overwrite` writes them anew.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use helix_host::control::Server;
use helix_host::{Configuration, Host, LogBook};
use helix_runtime::AbiTag;

/// What the commands find: libraries in `modules`, a broken set in `broken`, and a host that runs two of the former.
fn prepare(folder: &Path) {
    let crates = folder.join("crates");
    let source =
        |name: &str| fs::read_to_string(format!("{}/src/command/tour/{name}.txt", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let clock = r#"
        #![forbid(unsafe_code)]
        use helix_runtime::prelude::*;
        #[helix_message]
        #[derive(Debug, Clone, PartialEq)]
        pub struct Reading { pub seconds: u64, pub zone: Option<String> }
        #[helix_message]
        #[derive(Debug, Clone, PartialEq, EventType)]
        #[event(topic = "time", name = "time.alarm")]
        pub struct Alarm { pub at: u64, pub label: String }
        /// Tells the time.
        #[helix_module(name = "clock", version = "1.4.0", provides = ["time"], dependencies("zones" = { version = "^1.0", optional = true }))]
        #[derive(Default)]
        pub struct Clock { alarms: u64 }
        #[helix_handlers]
        impl Clock {
            /// The time, in a zone.
            #[on_request]
            fn read(&self, seconds: u64, zone: Option<String>) -> Reading { Reading { seconds, zone } }
            #[on_request]
            fn set(&mut self, reading: Reading) -> Result<u64, ModuleError> {
                if reading.seconds == 0 { return Err("there was no time before".into()); }
                Ok(reading.seconds)
            }
            #[on_event(Alarm)]
            fn alarm(&mut self, alarm: &Alarm) { self.alarms += 1; log::info!("{} at {}", alarm.label, alarm.at); }
            #[on_request]
            fn alarms(&self) -> u64 { self.alarms }
        }
    "#;
    let missing = r#"
        #![forbid(unsafe_code)]
        use helix_runtime::prelude::*;
        #[helix_module(name = "needy", dependencies("nobody", "clock" = "^2.0"))]
        #[derive(Default)]
        pub struct Needy;
        #[helix_handlers]
        impl Needy {}
    "#;
    let build = |name: &str, source: &str| support::library(&crates, name, source);
    let (clock, counter) = (build("clock", clock), build("counter", &source("counter")));
    let (display, needy) = (build("display", &source("display")), build("needy", missing));
    for (place, libraries) in [("modules", vec![&clock, &counter, &display]), ("broken", vec![&clock, &needy])] {
        fs::create_dir_all(folder.join(place)).unwrap();
        for library in libraries {
            fs::copy(library, folder.join(place).join(library.file_name().unwrap())).unwrap();
        }
    }
    fs::write(folder.join("broken/text.so"), "no library").unwrap();
    fs::write(folder.join("bad.toml"), "[clock]\nspeed = 3\n").unwrap();
}

#[test]
fn the_command_says_what_is_written_down() {
    let folder = support::folder("command");
    prepare(&folder);
    let book = LogBook::leaked(log::LevelFilter::Off);
    log::set_logger(book).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let lazy = Configuration::parse("[host]\nlazy = [\"display\"]\n", Path::new("host.toml")).unwrap();
    let builder = Host::builder().directory(&folder.join("modules")).unwrap();
    let host = Arc::new(builder.configuration(lazy).log(book).start().unwrap());
    let socket = folder.join("private/host.sock");
    let _server = Server::new(host.clone(), &socket).unwrap();

    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let mut names: Vec<_> = fs::read_dir(&written).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    // Each list of commands runs in a folder of its own, in which the libraries are.
    for name in &names {
        fs::copy(written.join(name), folder.join(name)).unwrap();
        let place = folder.join(name).with_extension("in");
        fs::create_dir_all(&place).unwrap();
        let _ = fs::remove_file(place.join("owner.key"));
        let signed = place.join("signed");
        let _ = fs::remove_dir_all(&signed);
        fs::create_dir_all(&signed).unwrap();
        fs::copy(folder.join("modules/counter.so"), signed.join("counter.so")).unwrap();
        for shared in ["modules", "broken", "bad.toml"] {
            let _ = std::os::unix::fs::symlink(folder.join(shared), place.join(shared));
        }
    }
    let cases = trycmd::TestCases::new();
    cases.env("HELIX_SOCKET", socket.to_str().unwrap()).env("NO_COLOR", "1");
    // What differs from build to build and from machine to machine.
    let put = |name: &'static str, value: String| cases.insert_var(name, value).map(drop).unwrap();
    put("[FOLDER]", folder.to_str().unwrap().into());
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml").canonicalize().unwrap();
    put("[WORKSPACE]", above.to_str().unwrap().into());
    put("[RUNTIME]", AbiTag::THIS.runtime.into());
    put("[LAYOUT]", format!("{:016x}", AbiTag::THIS.layout));
    put("[RUSTC]", AbiTag::THIS.rustc.into());
    put("[TARGET]", AbiTag::THIS.target.into());
    for (name, variable) in [("clock", "[CLOCK]"), ("counter", "[COUNTER]")] {
        put(variable, host.library(name).unwrap().1.to_string());
    }
    for name in &names {
        cases.case(folder.join(name));
    }
    cases.run();
    if std::env::var("TRYCMD").is_ok_and(|mode| mode == "overwrite") {
        for name in &names {
            fs::copy(folder.join(name), written.join(name)).unwrap();
        }
    }
}

#[test]
fn a_crate_in_a_workspace_that_does_not_know_it_is_told_of_it() {
    let folder = support::folder("workspace");
    let manifest = folder.join("Cargo.toml");
    let new = |name: &str| {
        let mut helix = std::process::Command::new(env!("CARGO_BIN_EXE_helix"));
        let output = helix.args(["new", name]).current_dir(&folder).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap()
    };
    let hint = format!("first add \"stray\" to the `members` of {}", manifest.display());
    fs::write(&manifest, "[workspace]\nmembers = []\n").unwrap();
    assert!(new("stray").contains(&hint));
    fs::write(&manifest, "[workspace]\nmembers = [\"member\"]\n").unwrap();
    assert!(!new("member").contains("first add"));
}
