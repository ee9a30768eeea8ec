//! Interleaved measuring: each round times every contender once, so that what disturbs the machine disturbs all alike.

use std::time::Duration;

use crate::row::Contender;

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often each contender is timed.
    pub rounds: usize,
    /// How long one timing takes, about.
    pub batch: Duration,
}

impl Plan {
    /// For the table.
    pub const FULL: Self = Self { rounds: 40, batch: Duration::from_micros(1500) };
    /// For one point of a plot.
    pub const POINT: Self = Self { rounds: 20, batch: Duration::from_micros(1000) };
    /// For a look.
    pub const QUICK: Self = Self { rounds: 7, batch: Duration::from_micros(500) };
}

/// The middle of many figures, and between what the middle half of them lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quartiles {
    /// A quarter is below.
    pub low: f64,
    /// Half is below.
    pub median: f64,
    /// A quarter is above.
    pub high: f64,
}

impl Quartiles {
    /// Of at least one figure.
    #[must_use]
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * (figures.len() - 1) as f64;
            let (below, above) = (figures[place.floor() as usize], figures[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }

    /// All three, each divided by a number.
    #[must_use]
    pub fn per(self, number: f64) -> Self {
        Self { low: self.low / number, median: self.median / number, high: self.high / number }
    }
}

/// What one contender came to.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Nanoseconds for one operation.
    pub ns: Quartiles,
    /// How many times the first contender's time in the same round.
    pub ratio: Quartiles,
}

/// Measures contenders against the first of them.
///
/// The ratio is taken round by round, between timings a few milliseconds apart: a machine that is slow for a while is slow
/// for both. The order is another in each round, so that nobody always comes after the same.
pub fn measure(contenders: &mut [Contender], plan: Plan) -> Vec<Measured> {
    let batches: Vec<u64> = contenders.iter_mut().map(|contender| calibrate(contender, plan.batch)).collect();
    let mut ns = vec![Vec::with_capacity(plan.rounds); contenders.len()];
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..plan.rounds {
        dice.shuffle(&mut order);
        for &at in &order {
            let took = contenders[at].run(batches[at]);
            ns[at].push(took.as_nanos() as f64 / batches[at] as f64);
        }
    }
    let floor = ns[0].clone();
    let measured = ns.into_iter().map(|ns| Measured {
        ratio: Quartiles::of(ns.iter().zip(&floor).map(|(ns, floor)| ns / floor).collect()),
        ns: Quartiles::of(ns),
    });
    measured.collect()
}

/// The same order of rounds in every run: xorshift64, G. Marsaglia, "Xorshift RNGs", 2003.
struct Dice(u64);

impl Dice {
    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            order.swap(last, (self.0 % (last as u64 + 1)) as usize);
        }
    }
}

/// How many operations take about as long as a batch. This also warms up. What is slow once is asked again.
fn calibrate(contender: &mut Contender, batch: Duration) -> u64 {
    let mut operations = 1;
    loop {
        if contender.run(operations) * 4 < batch {
            operations *= 2;
            continue;
        }
        let took = contender.run(operations).min(contender.run(operations));
        if took * 4 >= batch {
            let fits = operations as f64 * batch.as_secs_f64() / took.as_secs_f64();
            return (fits as u64).max(1);
        }
        operations *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_figures() {
        let quartiles = Quartiles::of(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!(quartiles, Quartiles { low: 1.75, median: 2.5, high: 3.25 });
        assert_eq!(quartiles.per(2.0).median, 1.25);
        assert_eq!(Quartiles::of(vec![7.0]).high, 7.0);
    }

    #[test]
    fn the_first_is_once_itself_and_the_slower_are_more() {
        let waits = |name, micros| {
            let took = move |operations: u64| Duration::from_micros(micros) * operations as u32;
            Contender::timed(name, took, || 0)
        };
        let measured = measure(&mut [waits("floor", 1), waits("ours", 3)], Plan::QUICK);
        assert_eq!(measured[0].ratio.median, 1.0);
        assert!((measured[1].ratio.median - 3.0).abs() < 1e-9);
        assert_eq!(measured[1].ns.median, 3000.0);
    }
}
