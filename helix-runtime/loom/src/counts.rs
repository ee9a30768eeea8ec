//! What threads count: no publication is lost or counted twice, whichever of them has the place of a number.

#[path = "../../src/runtime/counts.rs"]
#[allow(clippy::module_inception)]
mod counts;

use counts::{Count, Tallies};
use loom::sync::Arc;
use loom::thread;

/// Two numbers that share a place.
const NUMBERS: [usize; 2] = [1, 65];

struct Counted {
    counts: [Count; 2],
    tallies: [Tallies; 2],
}

impl Counted {
    fn total(&self, of: usize) -> usize {
        let by_threads = self.tallies.iter().map(|tallies| tallies.of(NUMBERS[of])).sum();
        self.counts[of].total(by_threads)
    }
}

fn counted() -> Arc<Counted> {
    Arc::new(Counted { counts: NUMBERS.map(Count::new), tallies: [Tallies::new(), Tallies::new()] })
}

#[test]
fn every_publication_is_counted_once_for_its_own_number() {
    loom::model(|| {
        let counted = counted();
        let other = thread::spawn({
            let counted = counted.clone();
            move || {
                counted.tallies[1].add(&counted.counts[1]);
                counted.tallies[1].add(&counted.counts[0]);
            }
        });
        counted.tallies[0].add(&counted.counts[0]);
        counted.tallies[0].add(&counted.counts[0]);
        // Whoever looks meanwhile sees no more than there was.
        assert!((2..=3).contains(&counted.total(0)));
        assert!(counted.total(1) <= 1);
        other.join().unwrap();
        assert_eq!((counted.total(0), counted.total(1)), (3, 1));
    });
}

#[test]
fn a_place_that_is_given_up_is_the_next_ones() {
    loom::model(|| {
        let counted = counted();
        counted.tallies[0].add(&counted.counts[0]);
        let forgetting = thread::spawn({
            let counted = counted.clone();
            // Nobody counts it any more: its runtime is gone.
            move || counted.tallies[0].forget(NUMBERS[0])
        });
        counted.tallies[0].add(&counted.counts[1]);
        counted.tallies[0].add(&counted.counts[1]);
        assert_eq!(counted.total(1), 2);
        forgetting.join().unwrap();
        assert_eq!(counted.total(1), 2);
    });
}
