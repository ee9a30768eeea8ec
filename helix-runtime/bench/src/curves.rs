//! What the plots show: one figure that grows, from few to many.

use crate::matches::{Eight, Many200, One, Some32};
use crate::names::{Order, by_name};
use crate::row::{Field, Row};
use crate::{events, share, threads};

/// One plot before it is run.
pub struct Curve {
    /// Its file's name, without the ending; also its title.
    pub name: &'static str,
    /// What grows.
    pub grows: &'static str,
    /// What the nanoseconds are for.
    pub each: &'static str,
    /// Whether the axis of what grows is logarithmic.
    pub is_log: bool,
    /// Its points: where, how many of `each` one operation has, and the contenders.
    pub points: Vec<Point>,
}

/// One point of a plot.
pub struct Point {
    /// Where it is.
    pub at: f64,
    /// How many of what the nanoseconds are for one operation has.
    pub per: f64,
    /// Who is measured there.
    pub row: Row,
}

/// Points at which an operation has as many of what is measured as it grows.
fn handlers(at: &[usize], per: fn(usize) -> usize, make: fn(usize) -> Field) -> Vec<Point> {
    let point =
        |&at: &usize| Point { at: at as f64, per: per(at) as f64, row: Row::new(at.to_string(), move || make(at)) };
    at.iter().map(point).collect()
}

fn names(order: Order) -> Vec<Point> {
    let point = |at: usize, make: fn(Order) -> Field| Point {
        at: at as f64,
        per: 1.0,
        row: Row::new(at.to_string(), move || make(order)),
    };
    vec![
        point(1, by_name::<One>),
        point(8, by_name::<Eight>),
        point(32, by_name::<Some32>),
        point(200, by_name::<Many200>),
    ]
}

/// All of them.
pub fn curves() -> Vec<Curve> {
    let crowd = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000];
    let shares = [10, 30, 100, 300, 1000];
    let mut at_once = handlers(&[1, 2, 3, 4], |_| 1, threads::publishing);
    for point in &mut at_once {
        point.row.stretch = 4;
    }
    vec![
        Curve {
            name: "closures",
            grows: "closures that listen",
            each: "closure",
            is_log: true,
            points: handlers(&crowd, |closures| closures, events::to_closures),
        },
        Curve {
            name: "modules",
            grows: "modules that listen",
            each: "module",
            is_log: true,
            points: handlers(&crowd[..7], |modules| modules, events::all_match),
        },
        Curve {
            name: "share",
            grows: "matching modules of 1000; the others hear the topic's other event",
            each: "matching module",
            is_log: true,
            points: handlers(&shares, |matching| matching, share::of_one_topic),
        },
        Curve {
            name: "threads",
            grows: "threads that publish at once to 8 modules",
            each: "publication of a thread",
            is_log: false,
            points: at_once,
        },
        Curve {
            name: "names-hot",
            grows: "names of requests, one of them called",
            each: "call",
            is_log: true,
            points: names(Order::Hot),
        },
        Curve {
            name: "names-random",
            grows: "names of requests, called at random",
            each: "call",
            is_log: true,
            points: names(Order::Random),
        },
    ]
}
