//! Counting results and telling them.
//! Every part of the suite reports here; the closing line is made here and nowhere else.

use std::time::Duration;

/// The results so far.
#[derive(Default)]
pub struct Tally {
    passed: usize,
    skipped: usize,
    failed: usize,
    failures: Vec<String>,
    skips: Vec<String>,
}

impl Tally {
    /// A journey went well.
    pub fn pass(&mut self, name: &str, took: Duration) {
        println!("PASS {name} ({:.1} s)", took.as_secs_f64());
        self.passed += 1;
    }

    /// A journey went wrong; `output` says how, at any length.
    pub fn fail(&mut self, name: &str, output: &str, took: Duration) {
        println!("FAIL {name} ({:.1} s)", took.as_secs_f64());
        for line in output.lines() {
            println!("     {line}");
        }
        self.failed += 1;
        self.failures.push(name.to_owned());
    }

    /// Something could not be tried here.
    pub fn skip(&mut self, name: &str, reason: &str) {
        println!("SKIP {name}: {reason}");
        self.skipped += 1;
        self.skips.push(format!("{name}: {reason}"));
    }

    /// Adds the counts of a runner that printed its own lines.
    pub fn add(&mut self, passed: usize, failed: Vec<String>, skipped: usize) {
        self.passed += passed;
        self.failed += failed.len();
        self.failures.extend(failed);
        self.skipped += skipped;
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// What was skipped, what failed, how long it took, and the closing line.
    pub fn print(&self, took: Duration) {
        println!();
        for line in &self.skips {
            println!("skipped  {line}");
        }
        for line in &self.failures {
            println!("failed   {line}");
        }
        println!("took {} min {} s", took.as_secs() / 60, took.as_secs() % 60);
        println!("{}", self.closing_line());
    }

    fn closing_line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_counts_every_kind() {
        let mut tally = Tally::default();
        tally.pass("a", Duration::ZERO);
        tally.fail("b", "why", Duration::ZERO);
        tally.skip("c", "why not");
        tally.add(3, vec!["d".to_owned()], 2);
        assert_eq!(tally.closing_line(), "4 passed, 2 failed, 3 skipped");
    }
}
