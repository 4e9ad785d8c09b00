//! Medians and the table: one row per figure, one column per server, and the ratio.
//! A ratio above 1 always means that Berth is better.

use super::marks;
use std::fmt::Write as _;

/// Which direction is good.
#[derive(Clone, Copy)]
pub enum Better {
    /// Rates.
    Higher,
    /// Times and memory.
    Lower,
}

struct Row {
    name: String,
    unit: &'static str,
    better: Better,
    values: Vec<(String, f64)>,
}

/// All figures so far, in the order they were first taken.
#[derive(Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Takes the median of the runs as a server's figure and says it at once.
    pub fn add(&mut self, server: &str, name: &str, unit: &'static str, better: Better, runs: &[f64]) {
        let Some(value) = median(runs) else { return };
        println!("    {name:<34} {:>12} {unit}", number(value));
        let row = match self.0.iter().position(|row| row.name == name) {
            Some(place) => &mut self.0[place],
            None => {
                self.0.push(Row { name: name.to_owned(), unit, better, values: Vec::new() });
                let last = self.0.len() - 1;
                &mut self.0[last]
            }
        };
        row.values.push((server.to_owned(), value));
    }

    /// The table as text, each figure of the first server beside its mark, and how many are missed.
    pub fn render(&self, mark: impl Fn(&str) -> Option<f64>) -> (String, usize) {
        let mut servers: Vec<&str> = Vec::new();
        for (server, _) in self.0.iter().flat_map(|row| &row.values) {
            if !servers.contains(&server.as_str()) {
                servers.push(server);
            }
        }
        let mut missed = 0;
        let mut text = format!("{:<34} {:<6}", "figure", "unit");
        for server in &servers {
            let _ = write!(text, " {server:>16}");
        }
        if servers.len() == 2 {
            text += "    times better";
        }
        text += "     mark\n";
        for row in &self.0 {
            let _ = write!(text, "{:<34} {:<6}", row.name, row.unit);
            let of = |server: &str| row.values.iter().find(|(name, _)| name == server).map(|(_, value)| *value);
            for server in &servers {
                let _ = write!(text, " {:>16}", of(server).map_or_else(|| "-".to_owned(), number));
            }
            let values: Vec<f64> = servers.iter().filter_map(|server| of(server)).collect();
            if let (2, [ours, theirs]) = (servers.len(), values.as_slice()) {
                let ratio = match row.better {
                    Better::Higher => ours / theirs,
                    Better::Lower => theirs / ours,
                };
                let _ = write!(text, " {ratio:>15.2}");
            } else if servers.len() == 2 {
                let _ = write!(text, " {:>15}", "-");
            }
            let mark = mark(&row.name);
            let ours = servers.first().and_then(|server| of(server));
            let misses = mark.zip(ours).is_some_and(|(mark, ours)| marks::is_missed(ours, mark, row.better));
            missed += usize::from(misses);
            let _ = writeln!(text, " {:>8}{}", marks::shown(mark), marks::verdict(misses));
        }
        (text, missed)
    }
}

/// With as many digits as tell something.
pub fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The middle value, or the mean of the two middle ones.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_ratio_above_one_is_good_for_rates_and_for_times() {
        let mut table = Table::default();
        for (server, rate, time) in [("berth", 300.0, 0.5), ("peer", 100.0, 1.0)] {
            table.add(server, "rate", "req/s", Better::Higher, &[rate]);
            table.add(server, "time", "s", Better::Lower, &[time]);
        }
        let (text, missed) = table.render(|figure| (figure == "rate").then_some(301.0));
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["rate", "req/s", "300", "100", "3.00", "301", "missed"], "{text}");
        assert_eq!(lines[2], ["time", "s", "0.50", "1.00", "2.00", "-"], "{text}");
        assert_eq!(missed, 1);
    }

    #[test]
    fn a_server_alone_has_marks_and_no_ratio() {
        let mut table = Table::default();
        table.add("berth", "rate", "req/s", Better::Higher, &[300.0]);
        let (text, missed) = table.render(|_| Some(300.0));
        assert!(!text.contains("times better") && text.lines().nth(1).is_some_and(|line| line.ends_with("300")), "{text}");
        assert_eq!(missed, 0);
    }
}
