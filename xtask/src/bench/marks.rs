//! What Berth is to reach on the registry's side, figure by figure, beside which the table is printed.
//! The bench alone reads it. The numbers belong to the machine that [`MACHINE`] names: on another one only the ratios mean something.

use super::Options;
use super::figures::Better;

/// Where the marks were taken, and of what.
pub const MACHINE: &str = "marks: taken on 2 cores that also run the client, beside Harbor 2.16.0, zot, CNCF Distribution and nginx, with a blob of 1 GB and tokens on";
/// Bytes of the blob that the marks of big blobs are for.
const BIG: usize = 1_000_000_000;

/// A figure and what it is to be: at least, or at most.
struct Mark(&'static str, f64);

/// As the figures are named in the table.
const MARKS: &[Mark] = &[
    Mark("start-up, first", 300.0),
    Mark("start-up", 60.0),
    Mark("memory idle", 40.0),
    Mark("memory after the work", 100.0),
    Mark("upload of the big blob", 750.0),
    Mark("download of the big blob", 3100.0),
    Mark("skopeo push 10 x 10 MiB", 0.6),
    Mark("skopeo pull 10 x 10 MiB", 0.35),
    Mark("manifest by tag, 16 conn.", 42_000.0),
    Mark("manifest by tag, 16 conn., p99", 2.0),
    Mark("blob HEAD, 16 conn.", 25_000.0),
    Mark("blob HEAD, 16 conn., p99", 2.0),
    Mark("tags list, 16 conn.", 45_000.0),
    Mark("tags list, 16 conn., p99", 2.0),
];

/// What a figure is to be, where the options are those that its mark was taken with.
pub fn of(figure: &str, options: &Options) -> Option<f64> {
    let fits = options.big == BIG || !figure.ends_with("big blob");
    MARKS.iter().find(|mark| mark.0 == figure).map(|mark| mark.1).filter(|_| fits)
}

/// Whether a figure is on the wrong side of its mark.
pub fn is_missed(value: f64, mark: f64, better: Better) -> bool {
    match better {
        Better::Higher => value < mark,
        Better::Lower => value > mark,
    }
}

/// A mark as the tables show it; nothing where there is none.
pub fn shown(mark: Option<f64>) -> String {
    mark.map_or_else(|| "-".to_owned(), super::figures::number)
}

/// What stands behind a line of a table: nothing, or that the figure is not what it is to be.
pub fn verdict(missed: bool) -> &'static str {
    if missed { "  missed" } else { "" }
}

/// The two lines below a table of marks.
pub fn closing(machine: &str, missed: usize) -> String {
    format!("{machine}\n{missed} figure(s) missed their mark\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_to_be_above_and_times_below() {
        assert!(is_missed(1.0, 2.0, Better::Higher) && !is_missed(2.0, 2.0, Better::Higher));
        assert!(is_missed(3.0, 2.0, Better::Lower) && !is_missed(2.0, 2.0, Better::Lower));
    }

    #[test]
    fn every_mark_is_of_a_figure_that_is_taken() {
        let sources = concat!(include_str!("work.rs"), include_str!("requests.rs"));
        for Mark(figure, _) in MARKS {
            let name = figure.split_once(", 16 conn.").map_or(*figure, |(name, _)| name);
            assert!(sources.contains(&format!("\"{name}\"")), "{figure} is never taken");
        }
    }
}
