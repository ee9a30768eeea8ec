//! What becomes of modules in processes of their own that crash, hang or end.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod enemy;
mod support;

use std::path::Path;
use std::time::Duration;

use enemy::{LIBRARY, start, state};
use helix_host::{Configuration, Host};
use helix_runtime::{Custom, Event, EventResponse, EventSubscription, EventTopic, ModuleState};

#[test]
fn a_process_that_ends_is_told_with_its_cause_and_the_host_goes_on() {
    let folder = support::folder("ends");
    for (how, cause) in [
        ("exit", "its process has exited with 0"),
        ("abort", "its process was killed by SIGABRT\n  the last words"),
        ("hang", "it has not answered for 1s"),
        ("panic", "panicked: told to panic"),
    ] {
        let host = start(&folder, ", deadline_ms = 1000", "").unwrap();
        let (tells, told) = std::sync::mpsc::channel();
        let tells = std::sync::Mutex::new(tells);
        let hears = move |event: &Event| {
            tells.lock().unwrap().send(event.name().to_string()).unwrap();
            EventResponse::Handled
        };
        let subscription = EventSubscription::new("test", vec![EventTopic::Module], Box::new(hears));
        host.runtime().bus().subscribe(subscription).unwrap();
        let error = host.runtime().call::<(&str,), ()>("enemy.end", (how,)).unwrap_err().to_string();
        assert!(error.contains(cause), "{how}: {error}");
        assert_eq!(told.recv_timeout(Duration::from_secs(60)).unwrap(), "module.crashed");
        assert_eq!(state(&host), ModuleState::Failed);
        let error = host.runtime().call::<(), u64>("enemy.add", ()).unwrap_err().to_string();
        assert!(error.contains("is failed, not running"), "{error}");
    }
}

#[test]
fn who_hangs_when_the_host_ends_is_ended_when_the_time_is_over_that_was_told() {
    let folder = support::folder("hurried");
    let host = start(&folder, ", deadline_ms = 600000", "maintenance = { timeout_s = 1 }\n").unwrap();
    std::thread::scope(|scope| {
        let hung = scope.spawn(|| host.runtime().call::<(&str,), ()>("enemy.end", ("hang",)).unwrap_err().to_string());
        support::until("it hangs", || std::fs::exists(folder.join("data/enemy/hangs")).unwrap());
        let began = std::time::Instant::now();
        // That it has crashed is told to whoever has called it.
        let _ = host.shut_down();
        assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
        let error = hung.join().unwrap();
        assert!(error.contains("it has not answered for 1s"), "{error}");
    });
}

#[test]
fn as_many_as_there_are_files_for_speak_with_it_at_a_time_and_the_others_wait() {
    let folder = support::folder("many");
    let host = start(&folder, ", files = 32", "").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..60 {
            scope.spawn(|| {
                let call = host.runtime().call::<(&str, &str), Result<(), String>>("enemy.attempt", ("nap", ""));
                assert_eq!(call, Ok(Ok(())));
            });
        }
    });
}

#[test]
fn modules_that_call_each_other_do_not_wait_for_each_other_however_many_do() {
    const FRIENDS: [&str; 2] = ["left", "right"];
    let source = |name: &str, other: &str| {
        format!(
            r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Calls the other one.
#[helix_module(name = "{name}")]
#[derive(Default)]
pub struct Friend;
#[helix_handlers]
impl Friend {{
    #[on_request]
    fn leaf(&self) {{ std::thread::sleep(std::time::Duration::from_millis(5)) }}
    #[on_request]
    fn asks(&self, ctx: &Context) -> Result<(), ModuleError> {{ Ok(ctx.call::<(), ()>("{other}.leaf", ())?) }}
}}
"#
        )
    };
    let folder = support::folder("crowded");
    let [left, right] = FRIENDS;
    let libraries =
        [support::library(&folder, left, &source(left, right)), support::library(&folder, right, &source(right, left))];
    let placed = FRIENDS.map(|name| format!("modules.{name} = {{ isolation = \"process\", files = 64 }}\n")).concat();
    let text = format!("[host]\ncommand = {:?}\n{placed}", env!("CARGO_BIN_EXE_helix"));
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let host = Host::builder().libraries(&libraries).configuration(configuration).start().unwrap();
    std::thread::scope(|scope| {
        for name in FRIENDS.iter().cycle().take(60) {
            let host = &host;
            scope.spawn(move || host.runtime().call::<(), ()>(&format!("{name}.asks"), ()).unwrap());
        }
    });
}

#[test]
fn a_process_that_ends_in_a_closure_is_missed_and_that_is_told_once() {
    let folder = support::folder("closure");
    let host = start(&folder, "", "").unwrap();
    let crashes = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counts = crashes.clone();
    let hears = move |event: &Event| {
        counts.fetch_add(u32::from(event.name() == "module.crashed"), std::sync::atomic::Ordering::Relaxed);
        EventResponse::Handled
    };
    host.runtime().bus().subscribe(EventSubscription::new("test", vec![EventTopic::Module], Box::new(hears))).unwrap();
    assert_eq!(host.runtime().call::<(&str,), Result<(), String>>("enemy.hears", ("friend.abort",)).unwrap(), Ok(()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            // They are inside when it ends, or come too late.
            scope.spawn(|| drop(host.runtime().call::<(&str,), ()>("enemy.end", ("hang",))));
        }
        let _ = host.runtime().publish(&Event::Custom(Custom::new("friend.abort", vec![])));
    });
    support::until("it is missed", || state(&host) == ModuleState::Failed);
    assert_eq!(crashes.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn one_that_hangs_when_it_is_stopped_stays_down_and_one_without_reloads_is_started_by_hand() {
    let text = format!(
        "[host]\ncommand = {:?}\nrestarts = {{ after_ms = 1 }}\n\
         modules.enemy = {{ isolation = \"process\", deadline_ms = 1000 }}\n[enemy]\nfail = \"stop-hang\"\n",
        env!("CARGO_BIN_EXE_helix"),
    );
    // Without HOT_RELOADABLE it is made anew as well.
    let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY));
    let host = builder.configuration(Configuration::parse(&text, Path::new("host.toml")).unwrap()).start().unwrap();
    let error = host.stop_module("enemy").unwrap_err().to_string();
    assert!(error.contains("it has not answered for 1s"), "{error}");
    // As often as it would have been started again.
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(state(&host), ModuleState::Failed);
    }
    host.start_module("enemy").unwrap();
    assert_eq!(host.runtime().call::<(), u64>("enemy.add", ()).unwrap(), 1);
    let used_up = host.runtime().call::<(&str, &str), Result<(), String>>("enemy.attempt", ("eats", ""));
    let error = used_up.unwrap_err().to_string();
    assert!(error.contains("it has used up its memory (`memory_mib`)"), "{error}");
}

#[test]
fn one_that_spins_is_ended_and_the_limit_is_named() {
    let folder = support::folder("spins");
    let host = start(&folder, ", cpu_seconds = 1", "").unwrap();
    let error = host.runtime().call::<(&str,), ()>("enemy.end", ("spin",)).unwrap_err().to_string();
    assert!(error.contains("it has used up its processor time (`cpu_seconds`)"), "{error}");
}

#[test]
fn one_that_asks_for_ever_is_as_late_as_one_that_is_silent() {
    let folder = support::folder("chat");
    let host = start(&folder, ", deadline_ms = 1000", "").unwrap();
    let error = host.runtime().call::<(), ()>("enemy.chat", ()).unwrap_err().to_string();
    assert!(error.contains("it has not answered for 1s"), "{error}");
}

#[test]
fn a_process_that_is_killed_while_nobody_speaks_to_it_is_missed_at_once() {
    let folder = support::folder("killed-idle");
    let host = start(&folder, "", "").unwrap();
    assert_eq!(host.runtime().call::<(), u64>("enemy.add", ()).unwrap(), 1);
    let pid = host.runtime().call::<(), u32>("enemy.pid", ()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    support::until("it is missed", || state(&host) == ModuleState::Failed);
}

#[test]
fn it_fails_in_each_step_of_its_life_and_never_hangs_the_host() {
    let folder = support::folder("steps");
    for how in ["exit", "abort", "hang", "panic"] {
        for step in ["init", "start"] {
            let error =
                start(&folder, ", deadline_ms = 1000", &format!("[enemy]\nfail = \"{step}-{how}\"\n")).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(&format!("on_{step}")), "{step} {how}: {error}");
        }
        for step in ["stop", "health", "save", "event"] {
            let host = start(&folder, ", deadline_ms = 1000", &format!("[enemy]\nfail = \"{step}-{how}\"\n")).unwrap();
            let found = match step {
                "stop" => host.stop().map_err(|error| error.to_string()),
                "health" => {
                    let health = host.runtime().health().remove(0);
                    health.reason.map_or(Ok(()), |reason| Err(reason.to_string()))
                }
                "save" => host.runtime().save("enemy").map(drop).map_err(|error| error.to_string()),
                _ => {
                    let result = host.runtime().publish(&Event::Custom(Custom::new("end", vec![])));
                    result.first_error.map_or(Ok(()), |(_, error)| Err(error.to_string()))
                }
            };
            let found = found.unwrap_err();
            assert!(found.contains("has crashed") || found.contains("panicked"), "{step} {how}: {found}");
        }
    }
}

/// A program that speaks to its host as it likes: what it has for standard input is the socket.
fn liar(folder: &Path, name: &str, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().into()
}

#[test]
fn a_program_that_is_no_server_of_modules_is_told_so() {
    let folder = support::folder("liars");
    let greets = r"printf 'helixipc\001\000\001\000' >&0";
    for (name, script, says) in [
        ("silent", "sleep 30", "it was not ready after 5s"),
        ("ends", "exit 3", "its process has exited with 3"),
        ("speaks", "echo oh dear >&2; exit 3", "has exited with 3\n  oh dear"),
        ("garbage", "printf 'GET / HTTP/1.1\\r\\n' >&0; sleep 30", "found the preamble \"GET / HTTP/1\""),
        ("waits", &format!("{greets}; printf '\\001' >&0; sleep 30"), "it was not ready after 5s"),
        ("long", &format!("{greets}; printf '\\377\\377\\377\\177' >&0; sleep 30"), "a frame of 2147483647 bytes"),
        ("odd", &format!("{greets}; printf '\\002\\000\\000\\000\\143\\143' >&0; sleep 30"), "it was not understood"),
        ("cut", &format!("{greets}; printf '\\100\\000\\000\\000abc' >&0"), "has exited with 0"),
    ] {
        let program = liar(&folder, name, script);
        let text = format!(
            "[host]\ncommand = {program:?}\nmodules.enemy = {{ isolation = \"process\", deadline_ms = 1000 }}\n"
        );
        let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY));
        let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
        let fault = builder.configuration(configuration).start().unwrap_err().to_string();
        assert!(fault.contains(says), "{name}: {fault}");
    }
}

#[test]
fn it_is_replaced_with_its_state_by_another_process() {
    let folder = support::folder("replaced");
    let host = start(&folder, "", "").unwrap();
    for count in 1..=3 {
        assert_eq!(host.runtime().call::<(), u64>("enemy.add", ()).unwrap(), count);
    }
    let bytes = std::fs::read(&*LIBRARY).unwrap();
    let next = folder.join("next.so");
    std::fs::write(&next, support::patched(&bytes, b"no such attempt", b"NO SUCH ATTEMPT")).unwrap();
    let reloaded = host.reload("enemy", Some(&next)).unwrap();
    assert!(reloaded.changed && reloaded.generation == 2);
    assert_eq!(host.runtime().call::<(), u64>("enemy.add", ()).unwrap(), 4);
    let said = host.runtime().call::<(&str, &str), Result<(), String>>("enemy.attempt", ("", "")).unwrap();
    assert_eq!(said, Err("NO SUCH ATTEMPT".into()));
}
