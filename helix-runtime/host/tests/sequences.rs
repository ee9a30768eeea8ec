//! Any sequence of load, reload, fail, stop, start and unload keeps who needs whom consistent.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use helix_host::{Host, ModuleView};
use proptest::prelude::*;

const NAMES: [&str; 4] = ["base", "mid", "side", "top"];

fn source(name: &str, options: &str, version: u32) -> String {
    format!(
        r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
#[helix_module(name = "{name}", flags = HOT_RELOADABLE{options})]
#[derive(Default)]
pub struct It {{ state: u64 }}
static BUILD: &str = "build number 00000000";
#[helix_handlers]
impl It {{
    #[on_request]
    fn build(&self) -> String {{ core::hint::black_box(BUILD).into() }}
    #[on_save(version = {version})]
    fn save(&self) -> u64 {{ self.state }}
    #[on_restore(version = {version})]
    fn restore(&mut self, state: u64) {{ self.state = state; }}
}}
"#
    )
}

struct Libraries {
    folder: PathBuf,
    /// Each module, and the same with another version of state, which it cannot take over.
    good: Vec<Vec<u8>>,
    careless: Vec<Vec<u8>>,
}

static LIBRARIES: LazyLock<Libraries> = LazyLock::new(|| {
    let folder = support::folder("sequences");
    let options = [
        "",
        ", dependencies = [\"base\"]",
        ", dependencies(\"mid\" = { version = \"*\", optional = true })",
        ", dependencies = [\"mid\", \"base\"]",
    ];
    let build = |version: u32| {
        let one = |(name, options): (&&str, &str)| {
            fs::read(support::library(&folder, name, &source(name, options, version))).unwrap()
        };
        NAMES.iter().zip(options).map(one).collect()
    };
    let (good, careless) = (build(1), build(9));
    Libraries { folder, good, careless }
});

#[derive(Debug, Clone)]
enum Step {
    Load(usize),
    Reload(usize),
    /// A reload that fails: its state is refused, or the file is cut off.
    Careless(usize),
    Cut(usize),
    Stop(usize),
    Start(usize),
    Unload(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..NAMES.len();
    let step = prop_oneof![
        4 => which.clone().prop_map(Step::Load),
        3 => which.clone().prop_map(Step::Reload),
        1 => which.clone().prop_map(Step::Careless),
        1 => which.clone().prop_map(Step::Cut),
        2 => which.clone().prop_map(Step::Stop),
        2 => which.clone().prop_map(Step::Start),
        2 => which.prop_map(Step::Unload),
    ];
    prop::collection::vec(step, 1..24)
}

fn find<'a>(modules: &'a [ModuleView], name: &str) -> Option<&'a ModuleView> {
    modules.iter().find(|module| module.name == name)
}

/// What must be so after each step.
fn check(host: &Host) -> Result<(), TestCaseError> {
    let modules = host.modules();
    for (at, module) in modules.iter().enumerate() {
        for need in &module.needs {
            let met = need.by.as_deref().map(|by| modules.iter().position(|other| other.name == by));
            match met {
                // Who is needed is there, starts before, and runs while it is needed.
                Some(Some(by)) => {
                    prop_assert!(by < at, "{} before {}", modules[by].name, module.name);
                    let both = module.state != "running" || need.optional || modules[by].state == "running";
                    prop_assert!(both, "{} runs without {}", module.name, modules[by].name);
                }
                Some(None) => prop_assert!(false, "{} needs {:?}, who is not there", module.name, need.by),
                // What nobody needs who runs may go.
                None => prop_assert!(need.optional || module.state != "running", "{} needs {}", module.name, need.what),
            }
        }
        let answers = host.runtime().call::<(), String>(&format!("{}.build", module.name), ());
        prop_assert_eq!(answers.is_ok(), module.state == "running", "{}: {:?}", &module.name, answers);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_graph_stays_consistent(steps in steps()) {
        let libraries = &*LIBRARIES;
        let host = Host::builder().start().unwrap();
        let path = |which: usize| libraries.folder.join(format!("live-{}.so", NAMES[which]));
        let mut build = 0;
        let mut fresh = |which: usize, of: &[Vec<u8>]| {
            build += 1;
            let number = format!("build number {build:08}");
            fs::write(path(which), support::patched(&of[which], b"build number 00000000", number.as_bytes())).unwrap();
            number
        };
        for step in steps {
            let before = host.modules();
            match step {
                Step::Load(which) => {
                    fresh(which, &libraries.good);
                    let needs: &[&str] = match which { 1 => &["base"], 3 => &["mid", "base"], _ => &[] };
                    let may = find(&before, NAMES[which]).is_none()
                        && needs.iter().all(|need| find(&before, need).is_some_and(|module| module.state == "running"));
                    let loaded = host.load(&path(which));
                    prop_assert_eq!(loaded.is_ok(), may, "{:?}", loaded);
                    if !may { prop_assert_eq!(host.modules(), before); }
                }
                Step::Reload(which) => {
                    let number = fresh(which, &libraries.good);
                    let known = find(&before, NAMES[which]).cloned();
                    let may = known.as_ref().is_some_and(|module| module.state == "running");
                    let reloaded = host.reload(NAMES[which], Some(&path(which)));
                    prop_assert_eq!(reloaded.is_ok(), may, "{:?}", reloaded);
                    if may {
                        let answers: String = host.runtime().call::<(), String>(&format!("{}.build", NAMES[which]), ()).unwrap();
                        prop_assert_eq!(answers, number);
                        prop_assert!(reloaded.unwrap().generation > known.unwrap().generation);
                    }
                }
                Step::Careless(which) => {
                    fresh(which, &libraries.careless);
                    let answers = || host.runtime().call::<(), String>(&format!("{}.build", NAMES[which]), ());
                    let old = answers();
                    let refused = host.reload(NAMES[which], Some(&path(which)));
                    prop_assert!(refused.is_err());
                    prop_assert_eq!(answers().ok(), old.ok(), "the old build answers");
                    prop_assert_eq!(host.modules(), before);
                }
                Step::Cut(which) => {
                    let whole = &libraries.good[which];
                    fs::write(path(which), &whole[..whole.len() / 2]).unwrap();
                    prop_assert!(host.reload(NAMES[which], Some(&path(which))).is_err());
                    prop_assert!(host.load(&path(which)).is_err());
                    prop_assert_eq!(host.modules(), before);
                }
                Step::Stop(which) => {
                    let runs = |module: &ModuleView| module.state == "running";
                    let needs = |other: &&ModuleView| {
                        other.needs.iter().any(|need| !need.optional && need.by.as_deref() == Some(NAMES[which]))
                    };
                    let needed = before.iter().filter(needs).any(runs);
                    let there = find(&before, NAMES[which]);
                    prop_assert_eq!(host.stop_module(NAMES[which]).is_ok(), there.is_some() && !needed);
                    let after = host.modules();
                    prop_assert!(needed || find(&after, NAMES[which]).is_none_or(|module| !runs(module)));
                }
                Step::Start(which) => {
                    let stopped = find(&before, NAMES[which]).is_some_and(|module| module.state == "stopped");
                    let needs_run = find(&before, NAMES[which]).is_some_and(|module| {
                        let mut needs = module.needs.iter().filter(|need| !need.optional);
                        needs.all(|need| {
                            let by = need.by.as_deref().and_then(|by| find(&before, by));
                            by.is_some_and(|by| by.state == "running")
                        })
                    });
                    prop_assert_eq!(host.start_module(NAMES[which]).is_ok(), stopped && needs_run);
                }
                Step::Unload(which) => {
                    if host.unload(NAMES[which]).is_ok() {
                        prop_assert!(find(&host.modules(), NAMES[which]).is_none());
                    } else {
                        prop_assert_eq!(host.modules().len(), before.len());
                    }
                }
            }
            check(&host)?;
        }
        host.stop().unwrap();
    }
}
