//! The events of a host, each from its real source, heard in a process of its own.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::mpsc::channel;

use helix_host::{Configuration, Host, LogBook};
use helix_runtime::{Event, EventResponse, EventSubscription, EventTopic};
use serde_json::json;

/// Writes what it hears into a file in its directory, a line each.
const WITNESS: &str = r#"
#![forbid(unsafe_code)]
use std::io::Write;
use helix_runtime::prelude::*;
use helix_runtime::{MaintenanceCompleted, MaintenanceStarted};

#[helix_module(name = "witness", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Witness { file: Option<std::fs::File>, #[config(default = 0)] number: u64, held: Vec<u8> }

impl Witness {
    fn note(&mut self, line: String) {
        writeln!(self.file.as_ref().unwrap(), "{line}").unwrap();
    }
}

#[helix_handlers]
impl Witness {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let path = std::path::Path::new(ctx.data_dir().unwrap()).join("heard");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        self.file = Some(file.map_err(|error| ModuleError::new(error.to_string()))?);
        Ok(())
    }
    #[on_event(ConfigLoaded)]
    fn config(&mut self, loaded: &ConfigLoaded, ctx: &Context) -> Result<(), ModuleError> {
        let (sections, json) = (loaded.changed_sections.join("+"), loaded.config_json.clone().unwrap_or_default());
        let now = ctx.config_as::<u64>("number")?.unwrap_or(self.number);
        self.note(format!("config {sections} {json} {now}"));
        Ok(())
    }
    #[on_event(NodeStartupCompleted)]
    fn started(&mut self, started: &NodeStartupCompleted) { self.note(format!("started {}", started.modules)) }
    #[on_event(NodeShutdown)]
    fn shutdown(&mut self, shutdown: &NodeShutdown) { self.note(format!("shutdown {}", shutdown.timeout_seconds)) }
    #[on_event(DataMaintenance)]
    fn maintenance(&mut self, what: &DataMaintenance) {
        let DataMaintenance { operation, urgency, reason, target_age_days, timeout_seconds } = what;
        self.note(format!("maintain {operation:?} {urgency:?} {reason:?} {target_age_days:?} {timeout_seconds:?}"));
    }
    #[on_event(MaintenanceStarted)]
    fn maintenance_started(&mut self, what: &MaintenanceStarted) { self.note(format!("begin {:?}", what.reason)) }
    #[on_event(MaintenanceCompleted)]
    fn maintenance_completed(&mut self, what: &MaintenanceCompleted) {
        self.note(format!("end {:?} {} {}", what.reason, what.handled, what.failed));
    }
    #[on_event(DiskSpaceLow)]
    fn disk(&mut self, low: &DiskSpaceLow) { self.note(format!("disk {}", low.available <= low.total)) }
    #[on_event(ResourceLimitWarning)]
    fn limit(&mut self, warning: &ResourceLimitWarning) {
        self.note(format!("limit {} {} {}", warning.module, warning.resource, warning.used * 10 >= warning.limit * 8));
    }
    #[on_event(HealthCheck)]
    fn health(&mut self, health: &HealthCheck) { self.note(format!("health {} {}", health.name, health.healthy)) }
    #[on_event(ModuleLoaded)]
    fn loaded(&mut self, module: &ModuleLoaded) { self.note(format!("loaded {}", module.name)) }
    #[on_event(ModuleUnloaded)]
    fn unloaded(&mut self, module: &ModuleUnloaded) { self.note(format!("unloaded {}", module.name)) }
    #[on_event(ModuleReloaded)]
    fn reloaded(&mut self, module: &ModuleReloaded) { self.note(format!("reloaded {}", module.name)) }
    #[on_event(ModuleCrashed)]
    fn crashed(&mut self, module: &ModuleCrashed) { self.note(format!("crashed {}: {:?}", module.name, module.cause)) }
    #[on_request]
    fn hold(&mut self, mib: u64) { self.held = vec![1; (mib << 20) as usize]; }
    #[on_request]
    fn open(&mut self, files: u64) -> bool {
        let files: Result<Vec<_>, _> = (0..files).map(|_| std::fs::File::open("/dev/null")).collect();
        std::mem::forget(files);
        true
    }
}
"#;

/// Ends as it is told.
const MARTYR: &str = r#"
use helix_runtime::prelude::*;
#[helix_module(name = "martyr", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Martyr;
#[helix_handlers]
impl Martyr {
    #[on_request]
    fn end(&self, how: String) {
        match how.as_str() {
            "exit" => std::process::exit(7),
            "hang" => loop { std::thread::sleep(std::time::Duration::from_secs(1)) },
            "panic" => panic!("told to"),
            _ => { eprintln!("the last words"); std::process::abort() }
        }
    }
}
"#;

static LIBRARIES: LazyLock<[PathBuf; 2]> = LazyLock::new(|| {
    let folder = support::folder("host_events");
    [support::library(&folder, "witness", WITNESS), support::library(&folder, "martyr", MARTYR)]
});

static LOG: LazyLock<&'static LogBook> = LazyLock::new(|| {
    let book = LogBook::leaked(log::LevelFilter::Off);
    log::set_logger(book).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    book
});

/// A folder with a configuration of these lines, and of modules in processes.
struct Stage {
    folder: PathBuf,
    host: Host,
}

impl Stage {
    fn new(test: &str, host: &str, sections: &str) -> Self {
        let folder = support::folder(test);
        LazyLock::force(&LOG);
        write(&folder, host, sections);
        let configuration = Configuration::read(&folder.join("host.toml")).unwrap();
        let builder = Host::builder().libraries(&LIBRARIES[..]).configuration(configuration);
        Self { host: builder.start().unwrap(), folder }
    }

    fn heard(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("data/witness/heard")).unwrap_or_default();
        text.lines().map(Into::into).collect()
    }

    /// Waits until a line begins so, of those that begin so the nth.
    fn wait(&self, nth: usize, begins: &str) -> String {
        let found = || self.heard().into_iter().filter(|line| line.starts_with(begins)).nth(nth);
        support::until(begins, || found().is_some());
        found().unwrap()
    }
}

fn write(folder: &Path, host: &str, sections: &str) {
    let text = format!(
        "[host]\ncommand = {:?}\ndata_dir = {:?}\nmodules.witness = {{ isolation = \"process\", memory_mib = 64, files = 64, deadline_ms = 10000 }}\n\
         modules.martyr = {{ isolation = \"process\", deadline_ms = 1000 }}\n{host}\n{sections}",
        env!("CARGO_BIN_EXE_helix"),
        folder.join("data"),
    );
    // As editors do it.
    let new = folder.join("host.toml.new");
    fs::write(&new, text).unwrap();
    fs::rename(new, folder.join("host.toml")).unwrap();
}

#[test]
fn the_configuration_is_told_at_the_start_and_whenever_its_file_really_changes() {
    let upkeep = "maintenance = { timeout_s = 5 }";
    let section = |number| format!("[witness]\nnumber = {number}\n");
    let stage = Stage::new("host_config", upkeep, &section(1));
    assert_eq!(stage.wait(0, "config"), r#"config witness {"witness":{"number":"1"}} 1"#);
    stage.wait(0, "started 2");
    write(&stage.folder, upkeep, &section(2));
    assert_eq!(stage.wait(1, "config"), r#"config witness {"witness":{"number":"2"}} 2"#, "and it is in force");
    // The same again, and what is none, is told to nobody.
    write(&stage.folder, upkeep, &section(2));
    write(&stage.folder, upkeep, "[witness\n");
    let said =
        || LOG.after(0, Some("helix")).into_iter().any(|line| line.text.contains("what was configured before stays"));
    support::until("what is none is told", said);
    // And what the host would not start with.
    write(&stage.folder, upkeep, "[witness]\nnumer = 3\n");
    let said = || {
        LOG.after(0, Some("helix")).into_iter().any(|line| line.text.contains("numer") && line.text.contains("stays"))
    };
    support::until("a key that nobody has is told", said);
    write(&stage.folder, upkeep, &section(3));
    assert_eq!(stage.wait(2, "config"), r#"config witness {"witness":{"number":"3"}} 3"#);
    assert_eq!(stage.heard().iter().filter(|line| line.starts_with("config")).count(), 3);
    // Who is made anew hears the last one.
    stage.host.stop_module("witness").unwrap();
    stage.host.start_module("witness").unwrap();
    assert_eq!(stage.wait(3, "config"), r#"config witness {"witness":{"number":"3"}} 3"#);
}

#[test]
fn data_is_maintained_by_time_on_demand_and_at_the_end() {
    let stage = Stage::new("host_maintenance", "maintenance = { every_s = 1, age_days = 9, timeout_s = 4 }", "");
    let (tell, told) = channel();
    let hear = Box::new(move |event: &Event| {
        let _ = tell.send(event.name().to_string());
        EventResponse::Ignored
    });
    stage.host.runtime().subscribe(EventSubscription::new("test", vec![EventTopic::All], hear)).unwrap();
    stage.wait(0, "maintain Cleanup Low Periodic Some(9) None");
    stage.wait(0, "begin Periodic");
    stage.wait(0, "end Periodic 1 0");
    stage.wait(1, "maintain Cleanup Low Periodic");
    let manual = json!({ "operation": "Both", "urgency": "Medium", "reason": "Manual", "target_age_days": 3, "timeout_seconds": null });
    assert_eq!(stage.host.emit("maintenance.data", &manual).unwrap().handled, 1);
    stage.wait(0, "maintain Both Medium Manual Some(3) None");
    stage.wait(0, "end Manual");
    let folder = stage.folder.clone();
    stage.host.stop().unwrap();
    let heard = fs::read_to_string(folder.join("data/witness/heard")).unwrap();
    let end: Vec<&str> = heard.lines().skip_while(|line| !line.starts_with("shutdown")).collect();
    assert_eq!(end[..3], ["shutdown 4", "begin Shutdown", "maintain Flush High Shutdown None Some(4)"], "{end:?}");
    assert!(told.try_iter().any(|name| name == "node.shutdown-completed"));
}

#[test]
fn what_runs_short_is_told_once() {
    let stage = Stage::new("host_limits", "maintenance = { low_disk_mib = 4000000000 }\nhealth_every_s = 1", "");
    stage.wait(0, "disk true");
    stage.wait(0, "maintain Both High LowDisk Some(7) Some(5)");
    stage.wait(0, "health witness true");
    stage.host.runtime().call::<(u64,), ()>("witness.hold", (55,)).unwrap();
    stage.wait(0, "limit witness memory true");
    assert!(stage.host.runtime().call::<(u64,), bool>("witness.open", (50,)).unwrap());
    stage.wait(0, "limit witness files true");
    stage.wait(3, "health witness true");
    assert_eq!(stage.heard().iter().filter(|line| line.starts_with("disk")).count(), 1);
    assert_eq!(stage.heard().iter().filter(|line| line.starts_with("limit witness memory")).count(), 1);
}

#[test]
fn that_a_module_comes_goes_changes_and_crashes_is_told_with_the_cause() {
    let stage = Stage::new("host_lives", "", "");
    // It was there after the witness, or before: it is told once.
    stage.wait(0, "loaded martyr");
    let end = |how: &str| stage.host.runtime().call::<(&str,), ()>("martyr.end", (how,)).unwrap_err();
    let running = |nth| stage.wait(nth, "loaded martyr");
    end("exit");
    assert_eq!(stage.wait(0, "crashed martyr"), r#"crashed martyr: "its process has exited with 7""#);
    running(1);
    end("abort");
    let aborted = r#"crashed martyr: "its process was killed by SIGABRT\n  the last words""#;
    assert_eq!(stage.wait(1, "crashed martyr"), aborted);
    running(2);
    end("hang");
    assert_eq!(stage.wait(2, "crashed martyr"), r#"crashed martyr: "it has not answered for 1s (`deadline_ms`)""#);
    running(3);
    stage.host.stop_module("martyr").unwrap();
    stage.wait(0, "unloaded martyr");
    stage.host.start_module("martyr").unwrap();
    running(4);
    let library = fs::read(&LIBRARIES[1]).unwrap();
    let other = stage.folder.join("martyr.so");
    fs::write(&other, support::patched(&library, b"the last words", b"the next words")).unwrap();
    stage.host.reload("martyr", Some(&other)).unwrap();
    stage.wait(0, "reloaded martyr");
    assert_eq!(stage.heard().iter().filter(|line| *line == "loaded martyr").count(), 5, "each start, once");
    assert_eq!(stage.heard().iter().filter(|line| *line == "loaded witness").count(), 1, "its own, once");
}
