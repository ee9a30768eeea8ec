//! Programs that chance seldom finds.

use crate::step::{Act, Outcome, Script, Step, To, Topic, What};
use crate::{compare, hush};

fn does(acts: Vec<Act>, outcome: Outcome) -> Script {
    Script { times: 1, acts, outcome }
}

fn publish(what: What) -> Step {
    Step::Act(Act::Publish(what))
}

#[track_caller]
fn agree(program: &[Step]) {
    hush();
    if let Err(difference) = compare(program) {
        panic!("{difference}");
    }
}

#[test]
fn a_letter_that_found_its_module_busy_keeps_its_place() {
    let to = To::Name("alpha");
    let letter = || Act::Queue { to, priority: Default::default(), timeout: None, reply: vec![] };
    agree(&[
        Step::Act(letter()),
        Step::Act(letter()),
        Step::Teach(0, does(vec![Act::Process(to)], Outcome::Handled)),
        Step::Act(Act::Ask(to)),
        Step::Poll(1),
    ]);
}

#[test]
fn a_closure_ends_with_its_owner_in_the_middle_of_a_publication() {
    let nothing = || does(vec![], Outcome::Handled);
    let late = Act::Subscribe { topics: vec![Topic::All], priority: -100, script: nothing() };
    let replaces = does(vec![Act::Replace(0)], Outcome::Handled);
    agree(&[
        Step::Teach(0, does(vec![late], Outcome::Handled)),
        publish(What::Tick),
        Step::Act(Act::Subscribe { topics: vec![Topic::Tick], priority: 200, script: replaces }),
        publish(What::Tick),
    ]);
}

#[test]
fn one_that_was_replaced_after_it_failed_is_looked_after_again() {
    let panics = || Step::Teach(0, does(vec![], Outcome::Panic));
    let fails = || [panics(), publish(What::Tick), Step::Poll(1)];
    let back = [Step::Act(Act::Replace(0)), Step::Poll(1)];
    agree(&[&fails()[..], &back[..], &fails()[..], &back[..]].concat());
}

#[test]
fn who_runs_again_without_what_it_needs_is_stopped_however_long_that_has_failed() {
    let panics = Step::Teach(0, does(vec![], Outcome::Panic));
    let replaces = Script { times: 2, acts: vec![Act::Replace(2)], outcome: Outcome::Panic };
    let letter = Act::Queue { to: To::Module(0), priority: Default::default(), timeout: None, reply: vec![] };
    agree(&[Step::Teach(2, replaces), Step::Act(letter), panics, Step::Poll(0), Step::Poll(0), Step::Poll(0)]);
}
