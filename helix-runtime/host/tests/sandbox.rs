//! What modules in processes of their own may do, and what they may not.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod enemy;
mod support;

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use enemy::{LIBRARY, attempt, start};
use helix_host::{Configuration, Host, Placings};

#[test]
fn what_the_sandbox_keeps_it_from_it_can_do_without() {
    let folder = support::folder("sandbox");
    let data = folder.join("data/enemy");
    std::fs::create_dir_all(&data).unwrap();
    let outside = folder.join("outside");
    std::fs::write(&outside, "ours").unwrap();
    let (own, link) = (data.join("own"), data.join("link"));
    std::fs::write(&own, "").unwrap();
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = UnixListener::bind(folder.join("path.sock")).unwrap();
    let name = format!("helix-test-{}", std::process::id());
    let abstracted = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_string();
    let (denied, killed) = ("Permission denied", "killed by SIGSYS");
    for (what, at, says) in [
        ("read", text(&outside), denied),
        ("write", text(&outside), denied),
        ("write", text(&folder.join("new")), denied),
        ("list", text(&folder), denied),
        ("read", text(&link), denied),
        ("write", text(&link), denied),
        ("tcp", tcp.local_addr().unwrap().to_string(), killed),
        ("listen", String::new(), killed),
        ("udp", String::new(), killed),
        ("path", text(&folder.join("path.sock")), killed),
        ("abstract", name.clone(), killed),
        ("fork", String::new(), killed),
        ("exec", String::new(), killed),
        ("kill", String::new(), killed),
        ("trace", String::new(), killed),
        ("memory", String::new(), "memory allocation failed"),
        ("hidden", String::new(), "Cannot allocate memory"),
        ("mode", text(&outside), "not permitted"),
        ("setuid", text(&data.join("su")), "not permitted"),
        ("buffer", String::new(), "not permitted"),
        ("pipe", String::new(), "not permitted"),
        ("times", text(&own), "not permitted"),
        ("files", String::new(), "Too many open files"),
        ("shared", String::new(), "not permitted"),
        ("grows", String::new(), "not permitted"),
        ("pair", String::new(), "not permitted"),
    ] {
        let found = attempt(&folder, "", what, &at).unwrap_err();
        assert!(found.contains(says), "{what} {at}: {found}");
        let free = attempt(&folder, ", sandbox = false", what, &at);
        assert_eq!(free, Ok(()), "{what} {at} without a sandbox");
    }
    // With the network it reaches that, and no program of this machine by its socket.
    let network = ", network = true";
    assert_eq!(attempt(&folder, network, "tcp", &tcp.local_addr().unwrap().to_string()), Ok(()));
    assert_eq!(attempt(&folder, network, "udp", ""), Ok(()));
    for (what, at) in [("path", text(&folder.join("path.sock"))), ("abstract", name.clone())] {
        let found = attempt(&folder, network, what, &at).unwrap_err();
        assert!(found.contains("not permitted"), "{what}: {found}");
    }
    for what in ["write", "read"] {
        assert_eq!(attempt(&folder, "", what, &text(&own)), Ok(()), "its own directory");
    }
    assert_eq!(attempt(&folder, "", "link", &text(&data.join("another"))), Ok(()));
    drop((path, abstracted));
}

#[test]
fn it_inherits_nothing_that_the_host_has_open() {
    let folder = support::folder("inherited");
    let file = std::fs::File::open("/dev/null").unwrap();
    // High, so that nothing of the process's own has that number.
    let open = rustix::io::fcntl_dupfd_cloexec(&file, 150).unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&open).to_string();
    for placing in ["", ", sandbox = false"] {
        let found = attempt(&folder, placing, "inherited", &number).unwrap_err();
        assert!(found.contains("Bad file descriptor"), "{found}");
    }
}

#[test]
fn a_slip_of_the_pen_in_the_configuration_lets_nobody_out() {
    let start = |host: &str| {
        let text = format!("[host]\ncommand = {:?}\n{host}\n", env!("CARGO_BIN_EXE_helix"));
        let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
        let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY)).configuration(configuration);
        builder.start().unwrap_err().to_string()
    };
    let fault = start("modules.enmy = { isolation = \"process\" }");
    assert!(fault.contains("host.modules.enmy: found no module of that name, expected one of: enemy"), "{fault}");
    let fault = start("modules.enemy = { memory_mib = 64, network = false }");
    assert!(fault.contains("host.modules.enemy.memory_mib: found it without `isolation = \"process\"`"), "{fault}");
    let fault = start("secrets = [\"enemy.fial\"]");
    assert!(fault.contains("host.secrets: found `enemy.fial`, expected a key of a module"), "{fault}");
    let fault =
        start("modules.enemy = { isolation = \"process\", grant = [\"cal/friend\", \"call\", \"call/friend.open\"] }");
    assert_eq!(fault.lines().count(), 1, "{fault}");
    assert!(
        fault.contains("host.modules.enemy.grant: found `cal/friend`, expected of what it asks for: call/friend"),
        "{fault}"
    );
}

#[test]
fn what_is_said_of_programs_that_join_has_to_be_whole() {
    let placing = "modules.enemy = { joins = true, memory_mib = 3 }";
    let text = format!("[host]\ncommand = {:?}\n{placing}\n", env!("CARGO_BIN_EXE_helix"));
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY)).configuration(configuration);
    let fault = builder.start().unwrap_err().to_string();
    assert!(fault.contains("host.modules.enemy.joins: found a library of that module, expected none"), "{fault}");
    assert!(fault.contains("found no `join` in the table [host], expected the socket"), "{fault}");
    assert!(
        fault.contains("memory_mib: found it for a program that joins, around which there is no sandbox"),
        "{fault}"
    );
}

#[test]
fn a_name_with_parts_has_no_directory_in_that_of_another() {
    let placings = Placings { data_dir: Some("/data".into()), ..Placings::default() };
    let mut info = helix_runtime::ModuleInfo::new("a/b");
    info.flags = helix_runtime::ModuleFlags::USERSPACE;
    assert_eq!(placings.data_dir_of(&info), Some("/data/a+b".into()));
}

/// A module that is linked to the host.
mod friend {
    use helix_runtime::prelude::*;

    /// Answers.
    #[helix_module(name = "friend")]
    #[derive(Default)]
    pub struct Friend;

    #[helix_handlers]
    impl Friend {
        #[on_request]
        fn open(&self) -> u64 {
            7
        }

        #[on_request(permission = "secret")]
        fn secret(&self) -> u64 {
            8
        }
    }
}

#[test]
fn it_may_do_what_it_asks_for_and_is_granted_and_nothing_else() {
    let start = |grant: &str| {
        let text = format!(
            "[host]\ncommand = {:?}\nmodules.enemy = {{ isolation = \"process\"{grant} }}\n",
            env!("CARGO_BIN_EXE_helix")
        );
        let builder = Host::builder().modules(helix_runtime::modules![friend::Friend]);
        let builder = builder.libraries(std::slice::from_ref(&*LIBRARY));
        builder.configuration(Configuration::parse(&text, Path::new("host.toml")).unwrap()).start()
    };
    let told = |host: &Host, request: &str, what: &str| -> Result<(), String> {
        let runtime = host.runtime();
        match request {
            "hears" => runtime.call::<(&str,), Result<(), String>>("enemy.hears", (what,)).unwrap(),
            "asks" => runtime.call::<(&str,), Result<u64, String>>("enemy.asks", (what,)).unwrap().map(drop),
            _ => runtime.call::<(&str,), Result<u32, String>>("enemy.publishes", (what,)).unwrap().map(drop),
        }
    };
    let all = [("asks", "friend.open"), ("asks", "friend.secret"), ("publishes", "enemy.says"), ("hears", "net")];
    let host = start("").unwrap();
    for (request, what) in all {
        assert_eq!(told(&host, request, what), Ok(()), "{request} {what}");
    }
    let forged = told(&host, "publishes", "module.crashed").unwrap_err();
    assert!(forged.contains("may not publish `module.crashed`"), "{forged}");
    assert_eq!(host.permissions()[0].denied["publish/module.crashed"], 1, "and it is written down");
    drop(host);

    let host = start(", grant = [\"call\", \"subscribe/end\", \"publish\"]").unwrap();
    for ((request, what), says) in all.into_iter().zip([
        None,
        Some("needs the permission `secret`"),
        None,
        Some("may not hear `net`: it needs the permission `subscribe/net`"),
    ]) {
        match (told(&host, request, what), says) {
            (Ok(()), None) => {}
            (Err(error), Some(says)) if error.contains(says) => {}
            (found, _) => panic!("{request} {what}: {found:?}"),
        }
    }
    let error = told(&host, "asks", "enemy.add").unwrap_err();
    assert!(error.contains("may not call `enemy.add`"), "{error}");
    let permits = host.permissions().remove(0);
    assert_eq!(permits.used["call/friend.open"], 1);
    assert_eq!(permits.denied, [("call/enemy.add".to_string(), 1), ("subscribe/net".into(), 1)].into());
    drop(host);

    let error = start(", grant = []").unwrap_err().to_string();
    assert!(error.contains("may not hear `end`"), "{error}");
}

#[test]
fn two_hosts_do_not_share_a_directory() {
    let folder = support::folder("shared");
    let host = start(&folder, "", "").unwrap();
    let fault = start(&folder, "", "").unwrap_err().to_string();
    assert!(
        fault.ends_with("data: found another host that uses it, expected one's own; give each host a `data_dir`"),
        "{fault}"
    );
    drop(host);
    start(&folder, "", "").unwrap();
}

#[test]
fn its_world_is_empty_but_for_what_it_was_given() {
    let folder = support::folder("world");
    let host = start(&folder, "", "").unwrap();
    assert_eq!(host.runtime().call::<(), Vec<String>>("enemy.environment", ()).unwrap(), Vec::<String>::new());
    assert_eq!(host.runtime().call::<(), u64>("enemy.standard_input", ()).unwrap(), 0);
    assert_eq!(host.modules()[0].place, "process");
    let process = host.info("enemy").unwrap().process.unwrap();
    assert_eq!(process.pid, host.runtime().call::<(), u32>("enemy.pid", ()).unwrap());
    let applied = [
        "memory 256 MiB",
        "512 MiB mapped",
        "256 files",
        "no core dumps",
        "no_new_privs",
        "capabilities dropped",
        "landlock",
        "seccomp",
    ];
    assert_eq!(process.sandbox, applied);
}
