//! Byte counts as text: one form for API messages, one for people.
//! The quota rules and the portal use it.

/// The highest storage limit of a project: 1024 TiB in bytes.
pub const MAX_STORAGE_LIMIT: i64 = 1 << 50;

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// As API messages write it: `n B` below 1024, otherwise one decimal and a binary unit (`1.0 KiB`).
pub fn harbor_size(bytes: u64) -> String {
    match scale(bytes) {
        None => format!("{bytes} B"),
        Some((value, unit)) => format!("{value:.1} {unit}"),
    }
}

/// For people: three significant figures and a binary unit (`1.50 KiB`, `23.4 MiB`, `512 B`).
pub fn human(bytes: u64) -> String {
    let Some((value, unit)) = scale(bytes) else {
        return format!("{bytes} B");
    };
    // What would round up to 1024 is one of the next unit.
    let next = UNITS.iter().position(|u| *u == unit).and_then(|at| UNITS.get(at + 1));
    match (value, next) {
        (v, Some(next)) if v >= 1023.5 => format!("{:.2} {next}", v / 1024.0),
        (v, _) if v < 9.995 => format!("{v:.2} {unit}"),
        (v, _) if v < 99.95 => format!("{v:.1} {unit}"),
        (v, _) => format!("{v:.0} {unit}"),
    }
}

/// The value in the largest unit that leaves it at least 1; `None` below one KiB.
fn scale(bytes: u64) -> Option<(f64, &'static str)> {
    let mut value = bytes as f64;
    let mut unit = None;
    for name in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = Some(name);
    }
    unit.map(|unit| (value, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_messages() {
        let table = [
            (0, "0 B"),
            (636, "636 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (2970, "2.9 KiB"),
            (10 << 20, "10.0 MiB"),
            (1 << 40, "1.0 TiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (bytes, text) in table {
            assert_eq!(harbor_size(bytes), text);
        }
    }

    #[test]
    fn sizes_for_people() {
        let table = [
            (7, "7 B"),
            (1536, "1.50 KiB"),
            (10_240, "10.0 KiB"),
            (102_400, "100 KiB"),
            ((1 << 20) - 1, "1.00 MiB"),
            (24_536_678, "23.4 MiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (bytes, text) in table {
            assert_eq!(human(bytes), text);
        }
    }
}
