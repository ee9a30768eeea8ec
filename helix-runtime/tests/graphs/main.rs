//! Any graph of modules is refused with all its faults, or starts in the order of its dependencies and stops in reverse.
//!
//! What is right is said a second time in `right.rs`, as plainly as can be, and compared.
#![allow(missing_docs)]
#![cfg(not(miri))] // What the modules say of themselves leaks, and nothing here is unsafe.

mod cases;
mod right;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use helix_runtime::prelude::*;
use helix_runtime::{BuildError, BuildFault, ConfigMap, Fault, ModuleInfo, ModuleState, ModuleTrait, Runtime};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;

use cases::{Case, any_graph, tame};

type Trace = Arc<Mutex<Vec<(&'static str, usize)>>>;

struct Member {
    at: usize,
    info: ModuleInfo,
    /// What each of its needs leads to.
    meets: Vec<(&'static str, Option<usize>)>,
    fails: &'static str,
    trace: Trace,
}

impl Member {
    fn step(&self, step: &'static str) -> Result<(), ModuleError> {
        if self.fails == step {
            return Err(ModuleError::new("told to fail"));
        }
        self.trace.lock().unwrap().push((step, self.at));
        Ok(())
    }
}

impl ModuleTrait for Member {
    fn info(&self) -> ModuleInfo {
        self.info
    }
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        for (name, meets) in &self.meets {
            let answer = ctx.request(name, Request::new("who")).ok();
            assert_eq!(answer, meets.map(|at| Response::ok([at as u8])), "{} asks {name}", self.info.name);
        }
        self.step("init")
    }
    fn start(&mut self) -> Result<(), ModuleError> {
        self.step("start")
    }
    fn stop(&mut self) -> Result<(), ModuleError> {
        self.step("stop")
    }
    fn handle_request(&mut self, _: &Request) -> Result<Response, ModuleError> {
        Ok(Response::ok([self.at as u8]))
    }
}

impl Case {
    fn build(&self, fails: Option<(usize, &'static str)>) -> (Result<Runtime, BuildError>, Trace) {
        let trace = Trace::default();
        let choices = self.choices.iter().map(|(service, choice)| (format!("services.{service}"), *choice));
        let mut builder = Runtime::builder().config(choices.collect::<ConfigMap>());
        for (at, info) in self.modules.iter().enumerate() {
            builder = builder.add(Box::new(Member {
                at,
                info: *info,
                meets: info.dependencies.iter().map(|need| (need.name, self.meets(&need))).collect(),
                fails: fails.map_or("", |(fails, step)| if fails == at { step } else { "" }),
                trace: trace.clone(),
            }));
        }
        (builder.build(), trace)
    }

    fn names(&self, order: &[usize]) -> Vec<&'static str> {
        order.iter().map(|at| self.modules[*at].name).collect()
    }
}

fn taken(trace: &Trace) -> Vec<(&'static str, usize)> {
    std::mem::take(&mut trace.lock().unwrap())
}

fn each(order: &[usize], step: &'static str) -> Vec<(&'static str, usize)> {
    order.iter().map(|at| (step, *at)).collect()
}

fn reversed(order: &[usize]) -> Vec<usize> {
    order.iter().rev().copied().collect()
}

/// As text, in an order of its own.
fn told(faults: &[BuildFault]) -> Vec<String> {
    let mut told: Vec<_> = faults.iter().map(|fault| format!("{fault:?}")).collect();
    told.sort();
    told
}

fn check(case: &Case) {
    let (built, trace) = case.build(None);
    let (faults, order) = (case.faults(), case.order());
    let runtime = match built {
        Err(error) => {
            let (circles, others): (Vec<_>, Vec<_>) =
                error.faults.into_iter().partition(|fault| matches!(fault, BuildFault::Cycle { .. }));
            assert_eq!(told(&others), told(&faults));
            assert_eq!(circles.len(), usize::from(order.is_none()), "{circles:?}");
            for circle in circles {
                let BuildFault::Cycle { path } = circle else { unreachable!() };
                assert!(case.is_circle(&path), "not a circle: `{path}`");
            }
            assert_eq!(taken(&trace), [], "nothing runs");
            return;
        }
        Ok(runtime) => runtime,
    };
    assert_eq!(told(&faults), told(&[]));
    let order = order.expect("a circle was not refused");
    let starts: Vec<_> = order.iter().flat_map(|at| [("init", *at), ("start", *at)]).collect();
    let names: Vec<_> = runtime.modules().iter().map(|module| module.info.name).collect();
    assert_eq!(names, case.names(&order));
    runtime.start().unwrap();
    assert_eq!(taken(&trace), starts);
    runtime.stop().unwrap();
    assert_eq!(taken(&trace), each(&reversed(&order), "stop"));
    runtime.start().unwrap();
    assert_eq!(taken(&trace), each(&order, "start"), "again in the same order");
    drop(runtime);
    assert_eq!(taken(&trace), each(&reversed(&order), "stop"), "to drop it stops it");
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn a_graph_is_refused_with_every_fault_or_runs_in_the_order_of_its_needs(case in any_graph()) {
        check(&case);
    }

    #[test]
    fn a_start_that_fails_anywhere_stops_in_reverse_what_it_had_started(
        case in tame(),
        place in any::<Index>(),
        step in select(vec!["init", "start"]),
    ) {
        let Some(order) = case.order().filter(|order| !order.is_empty() && case.faults().is_empty()) else {
            return Ok(());
        };
        let place = place.index(order.len());
        let (built, trace) = case.build(Some((order[place], step)));
        let runtime = built.unwrap();
        let error = runtime.start().unwrap_err();
        prop_assert_eq!(&error.module, case.modules[order[place]].name);
        prop_assert_eq!(error.step, format!("on_{step}"));
        let mut steps: Vec<_> = order[..place].iter().flat_map(|at| [("init", *at), ("start", *at)]).collect();
        steps.extend((step == "start").then_some(("init", order[place])));
        steps.extend(each(&reversed(&order[..place]), "stop"));
        prop_assert_eq!(taken(&trace), steps);
        let states: Vec<_> = runtime.modules().iter().map(|module| module.state).collect();
        let expected = (0..order.len()).map(|at| match at.cmp(&place) {
            core::cmp::Ordering::Less => ModuleState::Stopped,
            core::cmp::Ordering::Equal => ModuleState::Failed,
            core::cmp::Ordering::Greater => ModuleState::Registered,
        });
        prop_assert_eq!(states, expected.collect::<Vec<_>>());
    }
}

#[test]
fn the_graphs_above_come_to_every_end() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let strategy = any_graph();
    for _ in 0..2_000 {
        let case = strategy.new_tree(&mut runner).unwrap().current();
        let (faults, order) = (case.faults(), case.order());
        let mut see = |what| *seen.entry(what).or_default() += 1;
        for fault in &faults {
            see(match fault {
                BuildFault::Set(Fault::Duplicate { .. }) => "duplicate",
                BuildFault::Set(Fault::Name { .. }) => "name",
                BuildFault::Set(Fault::Missing { .. }) => "missing",
                BuildFault::Set(Fault::Version { .. }) => "version",
                BuildFault::Set(Fault::Feature { .. }) => "feature",
                BuildFault::Set(Fault::Layer { .. }) => "layer",
                BuildFault::Providers { .. } => "providers",
                BuildFault::Choice { .. } => "choice",
                _ => "other",
            });
        }
        let Some(order) = order else {
            see("circle");
            see(if faults.is_empty() { "circle alone" } else { "circle and faults" });
            continue;
        };
        if faults.is_empty() {
            see("runs");
            if order.len() > 4 && !order.is_sorted() {
                see("runs in another order than it was listed in");
            }
            if case.edges().iter().flatten().count() > 5 {
                see("runs with many needs");
            }
            let mut needs = case.modules.iter().flat_map(|module| module.dependencies.iter());
            if needs.any(|need| need.optional && case.meets(&need).is_none()) {
                see("runs without what is optional");
            }
            if !case.choices.is_empty() {
                see("runs with a chosen provider");
            }
        }
    }
    let ends = [
        "duplicate",
        "name",
        "missing",
        "version",
        "feature",
        "layer",
        "providers",
        "choice",
        "circle",
        "circle alone",
        "circle and faults",
        "runs",
        "runs in another order than it was listed in",
        "runs with many needs",
        "runs without what is optional",
        "runs with a chosen provider",
    ];
    for end in ends {
        assert!(seen.get(end).is_some_and(|times| *times >= 20), "{end}: {seen:?}");
    }
}
