//! The program as its user sees it: what it prints, where, and how it ends.
#![forbid(unsafe_code)]

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(args);
    command
}

fn run(args: &[&str]) -> Output {
    demo(args).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// A configuration file of that name with that text.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// What the demo says of a configuration that it refuses.
fn refusal(name: &str, text: &str) -> String {
    let path = file(name, text);
    let output = run(&["--seconds", "0.05", "--config", &path]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "stdout is for the report alone");
    let said = stderr(&output);
    assert!(said.contains("error: ") && said.contains("\n  fix: ") && said.contains(name), "{said}");
    said.to_string()
}

fn json(args: &[&str]) -> Value {
    let output = run(&[&["--json", "--seconds", "0.2"], args].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(stdout(&output)).unwrap()
}

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_string()).collect()
}

#[test]
fn it_tells_the_whole_story_on_one_page() {
    let output = run(&["--seconds", "0.2"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let page = stdout(&output);
    for title in ["MODULES", "WHAT HAPPENED", "TASKS", "EVENTS", "JOURNAL", "HEALTH", "STOPPED"] {
        assert!(page.lines().any(|line| line.starts_with(title)), "{title} is missing:\n{page}");
    }
    assert!(page.contains("memory     journal, scheduler = scheduler.round-robin"), "{page}");
    assert!(page.contains("HEALTH  all modules are well"), "{page}");
    assert!(page.contains("STOPPED  memory-watch -> scheduler.round-robin -> timer -> journal -> witness"), "{page}");
    assert!(page.lines().count() <= 54, "{page}");
    assert!(!page.contains('\x1b'), "no colours off a terminal");
}

#[test]
fn json_says_the_same() {
    let report = json(&[]);
    let modules = names(&report["modules"], "name");
    assert_eq!(modules, ["witness", "journal", "timer", "scheduler.round-robin", "memory-watch"]);
    let mut stopped: Vec<_> = report["stopped"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    stopped.reverse();
    assert_eq!(stopped, modules[1..], "in the reverse of the order of their start");
    assert_eq!(report["modules"][4]["needs"][1]["from"], "scheduler.round-robin");
    assert_eq!(report["modules"][2]["lockless"], true);
    assert_eq!((report["period_us"].as_u64(), report["time_slice_ticks"].as_u64()), (Some(1000), Some(5)));
    assert!(report["health"].as_array().unwrap().iter().all(|health| health["healthy"] == true));
    assert_eq!(report["memory"]["level"], "Normal");
    assert_eq!(
        (report["memory"]["tasks_parked"].as_u64(), report["memory"]["tasks_woken"].as_u64()),
        (Some(2), Some(2))
    );
    assert!(report["last"].as_array().unwrap().len() <= 4);
}

#[test]
fn the_numbers_add_up() {
    let report = json(&[]);
    let sum = |list: &str, field: &str| -> u64 {
        report[list].as_array().unwrap().iter().map(|item| item[field].as_u64().unwrap()).sum()
    };
    let ticks = report["ticks"].as_u64().unwrap();
    assert!(ticks > 0);
    assert_eq!(sum("tasks", "run"), sum("cpus", "busy"), "CPUs ran what tasks ran");
    assert_eq!(names(&report["tasks"], "name"), ["editor", "build", "tests", "index", "backup"]);
    for task in report["tasks"].as_array().unwrap() {
        let spent: u64 = ["run", "waited", "blocked"].iter().map(|field| task[field].as_u64().unwrap()).sum();
        assert!(spent == ticks || task["state"] == "exited with code 0", "{task}");
    }
    let online: Vec<u64> = report["cpus"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cpu| cpu["busy"].as_u64().unwrap() + cpu["idle"].as_u64().unwrap())
        .collect();
    assert_eq!(&online[..2], [ticks, ticks], "only the last CPU was taken away for a while");
    assert!(online[2] <= ticks);

    let event = |topic: &str| {
        let events = report["events"].as_array().unwrap();
        events.iter().find(|event| event["topic"] == topic).unwrap_or_else(|| panic!("no {topic}")).clone()
    };
    let (interrupt, tick) = (event("interrupt"), event("tick"));
    assert_eq!(interrupt["published"], tick["published"], "each interrupt is a tick");
    assert_eq!(tick["missed"], 0);
    assert_eq!((event("process")["published"].as_u64(), event("cpu-hotplug")["missed"].as_u64()), (Some(6), Some(1)));
}

#[test]
fn each_step_is_told_and_refusals_are_part_of_the_story() {
    let report = json(&[]);
    let steps = report["steps"].as_array().unwrap();
    let refused: Vec<_> = steps.iter().filter(|step| step["refused"] == true).collect();
    let refused: Vec<_> =
        refused.iter().map(|step| (step["kind"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].0 == "request" && refused[0].1.contains("expected blocked"), "{refused:?}");
    assert!(refused[1].0 == "event" && refused[1].1.contains("no cpu 99; expected 0 to 2"), "{refused:?}");
    let at: Vec<f64> = steps.iter().map(|step| step["at_ms"].as_f64().unwrap()).collect();
    assert!(at.is_sorted(), "{at:?}");
}

#[test]
fn a_file_changes_single_keys_under_either_spelling_of_a_table() {
    let quoted =
        file("quoted.toml", "[\"scheduler.round-robin\"]\ncpus = 2\n[services]\nscheduler = \"scheduler.round-robin\"");
    let bare = file("bare.toml", "[scheduler.round-robin]\ncpus = 2");
    for path in [quoted, bare] {
        let report = json(&["--config", &path]);
        assert_eq!(report["cpus"].as_array().unwrap().len(), 2);
        assert_eq!(report["time_slice_ticks"], 5, "what the file does not set stays as it is");
    }
}

#[test]
fn one_cpu_is_enough() {
    let path = file("one.toml", "[scheduler.round-robin]\ncpus = 1");
    let report = json(&["--config", &path]);
    assert_eq!(report["cpus"].as_array().unwrap().len(), 1);
}

#[test]
fn a_module_that_refuses_its_configuration_does_not_start() {
    let said = refusal("zero.toml", "[timer]\nperiod_us = 0");
    let expected =
        "does not start: module `timer`, on_init: config key `period_us`: found `0`, expected a whole number";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_value_of_another_type_is_refused() {
    let said = refusal("type.toml", "[timer]\nline = \"abc\"");
    assert!(said.contains("config key `line`: found `abc`, expected a whole number from 0 to"), "{said}");
    let said = refusal("array.toml", "[timer]\nline = [1]");
    assert!(said.contains("config key `timer.line`") && said.contains("found an array, expected text"), "{said}");
    let said = refusal("date.toml", "[timer]\nline = 2020-01-01");
    assert!(said.contains("found a date"), "{said}");
}

#[test]
fn unknown_keys_modules_and_providers_are_all_named_at_once() {
    let said = refusal(
        "unknown.toml",
        "[timer]\nperid_us = 1\n[tmer]\nperiod_us = 1\n[services]\nclock = \"sundial\"\nnosuch = \"timer\"",
    );
    for expected in [
        "config key `timer.perid_us`: `timer` has no key `perid_us`; it has: line, period_us",
        "config key `tmer.period_us`: no module is called `tmer`; there are: witness, ",
        "config key `services.clock`: found `sundial`, expected a module that provides it: timer",
        "config key `services.nosuch`: found `timer`",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn what_is_no_toml_is_shown_where_it_stops_being_any() {
    let said = refusal("syntax.toml", "[journal]\ncapacity = 1\n[timer\n");
    assert!(said.contains("is not TOML") && said.contains("line 3, column 7"), "{said}");
    let said = refusal("outside.toml", "period_us = 1");
    assert!(said.contains("config key `period_us`") && said.contains("found outside of any table"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = run(&["--config", "no-such-file.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot read the configuration `no-such-file.toml`"), "{}", stderr(&output));
}

#[test]
fn a_wrong_call_ends_with_2() {
    for (args, expected) in [
        (&["--seconds", "soon"][..], "expected a number of seconds"),
        (&["--seconds", "0"], "expected 0.05 to 3600 seconds"),
        (&["--seconds", "nan"], "expected 0.05 to 3600 seconds"),
        (&["--jsn"], "--json"),
        (&["--config"], "a value is required"),
        (&["surplus"], "unexpected argument 'surplus'"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn help_lists_the_options_and_every_key_of_every_module() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    for expected in ["--config <FILE>", "--seconds", "--json", "[\"memory-watch\"]", "period_us: u64 = 1000"] {
        assert!(stdout(&output).contains(expected), "{expected}: {}", stdout(&output));
    }
}

#[test]
fn a_reader_who_leaves_early_is_no_failure() {
    let mut child = demo(&["--seconds", "0.05"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(!said.contains("panicked") && !said.contains("error"), "{said}");
}

#[test]
fn stderr_may_be_closed_too() {
    let mut child = demo(&["--seconds", "0.05"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
