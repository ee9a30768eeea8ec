//! Values from the configuration.

use helix_runtime::prelude::*;
use helix_runtime::{BuildFault, IpcResult, Runtime};

use crate::Placement;
use crate::modules::{CONFIGURED, RIVAL, SERVER};
use crate::stage::{built, lifecycle, says, started, with};

fn shown(runtime: &Runtime) -> IpcResult<String> {
    runtime.call::<(), String>("configured.shown", ())
}

pub(super) fn a_field_has_its_type_and_its_default(placement: &dyn Placement) {
    let runtime = started(placement, with(&[("configured.ratio", "0.5")]), &[CONFIGURED]);
    assert_eq!(shown(&runtime), Ok("10 plain 0.5 None".into()));
    let all = [("count", "255"), ("text", "so, so"), ("ratio", "-1e3"), ("maybe", "true")];
    let keys = all.map(|(key, value)| (format!("configured.{key}"), value));
    let pairs: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let runtime = started(placement, with(&pairs), &[CONFIGURED]);
    assert_eq!(shown(&runtime), Ok("255 so, so -1000 Some(true)".into()));
}

pub(super) fn a_missing_value_says_what_was_expected(placement: &dyn Placement) {
    let runtime = built(placement, &[], &[CONFIGURED]);
    let (text, error) = lifecycle(runtime.start());
    assert_eq!(
        text,
        "module `configured`, config: config key `ratio`: no value, expected a number; set it in the configuration"
    );
    assert_eq!(error, ModuleError::ConfigMissing { key: "ratio".into(), expected: "a number" });
}

pub(super) fn a_bad_value_says_key_value_and_what_was_expected(placement: &dyn Placement) {
    for (key, value, expected) in [
        ("count", "300", "a whole number from 0 to 255"),
        ("count", "", "a whole number from 0 to 255"),
        ("maybe", "yes", "`true` or `false`"),
        ("ratio", "half", "a number"),
    ] {
        let path = format!("configured.{key}");
        let mut pairs = vec![(path.as_str(), value)];
        if key != "ratio" {
            pairs.push(("configured.ratio", "1"));
        }
        let (text, error) = lifecycle(built(placement, &pairs, &[CONFIGURED]).start());
        assert_eq!(
            text,
            format!("module `configured`, config: config key `{key}`: found `{value}`, expected {expected}")
        );
        assert_eq!(error, ModuleError::config(key, value, expected));
    }
}

pub(super) fn a_key_that_no_field_declares_stops_the_build(placement: &dyn Placement) {
    let error = placement.build(with(&[("configured.colour", "red")]), &[CONFIGURED]).unwrap_err();
    let [fault] = &error.faults[..] else { panic!("{error}") };
    assert_eq!(
        *fault,
        BuildFault::UnknownKey {
            module: "configured".into(),
            key: "colour".into(),
            known: "count, text, ratio, maybe".into(),
        }
    );
}

pub(super) fn a_context_reads_its_own_keys(placement: &dyn Placement) {
    let config = [("configured.ratio", "0.5"), ("configured.count", "7")];
    let runtime = started(placement, with(&config).data_dir("data"), &[CONFIGURED]);
    let raw = |key| runtime.call::<(&'static str,), String>("configured.raw", (key,)).unwrap();
    assert_eq!(raw("ratio"), r#"Some("0.5") 0.5"#);
    assert_eq!(raw("text"), "None unset");
    let number = |key| runtime.call::<(&'static str,), Option<u64>>("configured.number", (key,));
    assert_eq!((number("count"), number("text")), (Ok(Some(7)), Ok(None)));
    says(number("ratio"), "configured.number: config key `ratio`: found `0.5`, expected a whole number, 0 or above");
    assert_eq!(runtime.call::<(), Option<String>>("configured.data_dir", ()), Ok(Some("data/configured".into())));
}

pub(super) fn of_two_providers_the_configuration_chooses(placement: &dyn Placement) {
    let build = |choice: &[(&str, &str)]| placement.build(with(choice), &[SERVER, RIVAL]);
    let error = build(&[]).unwrap_err();
    let (first, second) = ("server".into(), "rival".into());
    assert_eq!(error.faults, [BuildFault::Providers { service: "shapes".into(), first, second }]);
    says(
        build(&[("services.shapes", "nobody")]),
        "config key `services.shapes`: found `nobody`, expected a module that provides it: server, rival",
    );
    for (choice, greeting) in [("server", "hello you"), ("rival", "go away, you")] {
        let runtime = build(&[("services.shapes", choice)]).unwrap();
        runtime.start().unwrap();
        assert_eq!(runtime.call::<(&'static str,), String>("shapes.greet", ("you",)), Ok(greeting.into()));
    }
}
