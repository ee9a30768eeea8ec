//! The node with its modules in real processes: who hears what, what they do, and what becomes of one that is killed.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use helix_host::Cargo;
use helix_runtime::{
    ConfigLoaded, DataMaintenance, Event, EventResponse, EventSubscription, EventTopic, EventType, MaintenanceReason,
    NodeShutdown, Operation, Urgency,
};
use node::{NodeConfig, Running, build};
use node_contracts::{
    BlockTemplateUpdated, ChainReorg, EconomicNodeRegistered, EconomicNodeVeto, FeeRateChanged,
    GovernanceProposalCreated, MempoolTransactionAdded, MessageReceived, MiningJobCreated, NewBlock, PacketRouted,
    PaymentRequestCreated, PeerConnected, Report,
};

fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("target")
}

static LIBRARIES: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let cargo = Cargo { target_dir: Some(target_dir()), ..Cargo::default() };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    build(folder, &cargo, |_, _| {}).unwrap_or_else(|fault| panic!("{fault}: {fault:?}"))
});

/// The example's own configuration, with ticks that come faster.
fn config() -> NodeConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("node.toml");
    NodeConfig::read(&path).unwrap().with("ticks_a_second = 20", "ticks_a_second = 100")
}

/// A node that runs, and what was published in it since it was last looked at.
struct Stage {
    node: Running,
    published: Receiver<String>,
}

impl Stage {
    fn new(config: &NodeConfig) -> Self {
        let node = Running::start(config, &LIBRARIES, Path::new(env!("CARGO_BIN_EXE_node")), None).unwrap();
        let (tells, published) = channel();
        let tells = Mutex::new(tells);
        let hear = move |event: &Event| {
            // The test may be over.
            let _ = tells.lock().unwrap().send(event.name().to_string());
            EventResponse::Ignored
        };
        let subscription = EventSubscription::new("test", vec![EventTopic::All], Box::new(hear));
        node.host().runtime().subscribe(subscription).unwrap();
        Self { node, published }
    }

    fn report(&self, module: &str) -> Report {
        self.node.report(module).unwrap_or_default()
    }

    fn pid(&self, module: &str) -> u32 {
        self.node.host().info(module).unwrap().process.map_or(0, |process| process.pid)
    }

    /// Returns when that is so, which is looked at whenever something was published; fails when it takes too long.
    #[track_caller]
    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            let left = deadline.saturating_duration_since(Instant::now());
            let told = self.published.recv_timeout(left);
            assert!(told.is_ok(), "{what}: not within a minute");
            self.published.try_iter().for_each(drop);
        }
    }

    #[track_caller]
    fn until_heard<E: EventType>(&self, module: &str) {
        self.until(&format!("{module} hears {}", E::NAME), || self.report(module).heard::<E>() > 0);
    }

    #[track_caller]
    fn until_done(&self, module: &str, what: &str) {
        self.until(&format!("{module} has {what}"), || self.report(module).done(what) > 0);
    }
}

#[test]
fn every_event_is_heard_by_the_module_that_it_is_for() {
    let stage = Stage::new(&config());
    stage.until_heard::<EconomicNodeRegistered>("governance");
    stage.until_heard::<EconomicNodeVeto>("governance");
    stage.until_heard::<GovernanceProposalCreated>("governance");
    stage.until_heard::<PeerConnected>("mesh");
    stage.until_heard::<MessageReceived>("mesh");
    stage.until_heard::<PaymentRequestCreated>("lightning");
    stage.until_heard::<MempoolTransactionAdded>("lightning");
    stage.until_heard::<FeeRateChanged>("lightning");
    stage.until_heard::<ChainReorg>("lightning");
    stage.until_heard::<BlockTemplateUpdated>("stratum-v2");
    for module in node::MODULES {
        stage.until_heard::<NewBlock>(module);
        stage.until_heard::<ConfigLoaded>(module);
    }
    stage.until_done("stratum-v2", "made a job");
    stage.until_done("lightning", "settled a payment");
    stage.node.stop().unwrap();
}

#[test]
fn what_modules_publish_is_heard_by_others_typed_or_through_the_node() {
    let stage = Stage::new(&config());
    for name in [MiningJobCreated::NAME, PacketRouted::NAME, "lightning.payment-settled"] {
        let deadline = Instant::now() + Duration::from_secs(60);
        let next = || stage.published.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        while next().unwrap_or_else(|_| panic!("{name}: not within a minute")) != name {}
    }
}

#[test]
fn the_webhook_is_told_and_after_the_configuration_has_changed_the_other_one_is() {
    let stage = Stage::new(&config());
    let [first, second] = stage.node.webhooks();
    for event in ["EconomicNodeRegistered", "EconomicNodeVeto", "NewBlock", "GovernanceProposalCreated"] {
        let tells = |body: &String| body.contains(&format!(r#""event":"{event}""#)) && body.contains(r#""node-1""#);
        stage.until(event, || first.received().iter().any(tells));
    }
    assert!(first.received().iter().any(|body| body.contains(r#""reason":"too \"soon\"""#)), "it is JSON");
    assert_eq!(second.received(), Vec::<String>::new());
    let pid = stage.pid("governance");
    stage.node.reconfigure().unwrap();
    stage.until("the second one is told", || second.received().len() > 3);
    // What waited in the outbox went to the first one before anything went to the second.
    let told = first.received().len();
    stage.until("more is told", || second.received().len() > 8);
    assert_eq!(first.received().len(), told);
    assert_eq!(stage.pid("governance"), pid, "it is the same process");
    stage.node.stop().unwrap();
}

#[test]
fn packets_are_routed_across_processes_by_the_contract_and_by_the_node() {
    let stage = Stage::new(&config());
    stage.until_done("lightning", "sent an invoice");
    stage.until_done("lightning", "sent a receipt");
    assert!(stage.report("mesh").done("routed a packet") >= 2);
    assert!(stage.report("node").done("called mesh.route_packet for a module") >= 1);
    let used = stage.node.host().permissions();
    let lightning = used.iter().find(|permits| permits.module == "lightning").unwrap();
    assert!(lightning.used.contains_key("call/mesh.route_packet"), "{lightning:?}");
    assert!(used.iter().all(|permits| permits.denied.is_empty()), "{used:?}");
}

#[test]
fn one_that_is_killed_comes_back_and_the_others_carry_on_meanwhile() {
    let stage = Stage::new(&config());
    stage.until_heard::<NewBlock>("mesh");
    let pids = ["governance", "lightning", "stratum-v2"].map(|module| (module, stage.pid(module)));
    let (mesh, jobs) = (stage.pid("mesh"), stage.report("stratum-v2").done("made a job"));
    let killed = rustix::process::Pid::from_raw(mesh as i32).unwrap();
    rustix::process::kill_process(killed, rustix::process::Signal::KILL).unwrap();
    stage.until("a job is made meanwhile or after", || stage.report("stratum-v2").done("made a job") > jobs);
    stage.until("another process serves it", || ![0, mesh].contains(&stage.pid("mesh")));
    stage.until_heard::<NewBlock>("mesh");
    // It has learnt again who is connected, and routes.
    stage.until_done("mesh", "routed a packet");
    let modules = stage.node.host().modules();
    let restarts = |name: &str| modules.iter().find(|module| module.name == name).unwrap().restarts;
    assert_eq!(restarts("mesh"), 1);
    for (module, pid) in pids {
        assert_eq!((stage.pid(module), restarts(module)), (pid, 0), "{module} is as it was");
    }
    stage.node.stop().unwrap();
}

#[test]
fn what_is_not_granted_is_denied_and_written_down() {
    let refused = Stage::new(&config().with("\"publish/stratum.job-created\", ", ""));
    refused.until("a job is not told", || {
        let done = refused.report("stratum-v2").done;
        done.iter().any(|count| count.what.contains("it needs the permission `publish/stratum.job-created`"))
    });
    let permits = refused.node.host().permissions();
    let stratum = permits.into_iter().find(|permits| permits.module == "stratum-v2").unwrap();
    assert!(stratum.denied["publish/stratum.job-created"] >= 1);
    assert!(!stratum.used.contains_key("publish/stratum.job-created"));
    assert_eq!(refused.report("stratum-v2").done("made a job"), 0);
    refused.node.stop().unwrap();

    let start = |config: &NodeConfig| Running::start(config, &LIBRARIES, Path::new(env!("CARGO_BIN_EXE_node")), None);
    let deaf = config().with("\"subscribe/network\", ", "");
    let fault = start(&deaf).unwrap_err().to_string();
    assert!(fault.contains("`mesh` may not hear `network.peer-connected`"), "{fault}");
}

#[test]
fn the_node_makes_no_requests_for_modules_but_those_that_it_is_told_to() {
    let stage = Stage::new(&config().with("requests = \"mesh.route_packet\"", "requests = \"\""));
    let says = |count: &node_contracts::Count| count.what.contains("does not call `mesh.route_packet` for modules");
    stage.until("it is refused", || stage.report("lightning").done.iter().any(says));
    stage.until_done("lightning", "sent an invoice");
}

#[test]
fn without_the_network_no_webhook_is_told_and_the_process_ends() {
    let stage = Stage::new(&config().with("network = true\n", ""));
    let restarted = |module: &helix_host::ModuleView| module.name == "governance" && module.restarts > 0;
    stage.until("the sandbox ends it", || stage.node.host().modules().iter().any(restarted));
    assert_eq!(stage.node.webhooks()[0].received(), Vec::<String>::new());
}

#[test]
fn data_is_flushed_to_the_modules_own_directories() {
    let stage = Stage::new(&config());
    stage.until_done("lightning", "settled a payment");
    let flushed = stage.node.host().maintain(&DataMaintenance {
        operation: Operation::Flush,
        urgency: Urgency::High,
        reason: MaintenanceReason::Manual,
        target_age_days: None,
        timeout_seconds: Some(5),
    });
    assert_eq!((flushed.queued, flushed.missed()), (3, 0), "governance, mesh and lightning hear it");
    let payments = fs::read_to_string(stage.node.data_dir("lightning").join("payments")).unwrap();
    assert!(payments.lines().any(|line| line.ends_with("Settled")), "{payments}");
    assert_eq!(stage.report("stratum-v2").heard::<NodeShutdown>(), 0);
}

fn program(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_node")).arg("--target-dir").arg(target_dir()).args(args).output().unwrap()
}

#[test]
fn the_program_tells_what_each_module_saw_and_did() {
    let _ = &*LIBRARIES;
    let output = program(&["--seconds", "2"]);
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{errors}");
    for line in
        ["node  in the program", "governance  process", "mesh  process", "lightning  process", "stratum-v2  process"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.contains("chain.new-block") && said.trim_end().ends_with("stopped"), "{said}");
    assert_eq!(errors, "");
}

#[test]
fn what_it_cannot_take_it_says() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let plain = file("plain.toml", "[governance]\nwebhook_url = \"http://127.0.0.1:1/\"\n");
    let broken = file("broken.toml", "[host\n");
    let unknown = file("unknown.toml", "[host]\ntics_a_second = 3\n");
    for (args, says) in [
        (["--seconds", "0"], "0 is not in 1..=3600"),
        (["--config", "/no/such/file"], "/no/such/file: No such file"),
        (["--config", &plain], "found no `{webhook}`, expected one"),
        (["--config", &broken], "broken.toml"),
        (["--config", &unknown], "host.tics_a_second"),
    ] {
        let output = program(&args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{args:?}: {said}");
    }
}
