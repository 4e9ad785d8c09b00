//! Amounts in words: sizes in binary units, counts with grouped digits. Pages use them for every number a person reads.

use leptos::prelude::*;
use model::size::human;

/// A size as `<data>`, so that the exact number stays in the page.
#[component]
pub fn Bytes(
    /// Bytes.
    size: u64,
) -> impl IntoView {
    view! { <data value=size.to_string()>{human(size)}</data> }
}

/// `1,318`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What share of `whole` a part is, from 0 to 100 with two decimals, for SVG attributes.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let basis_points = u128::from(part) * 10_000 / u128::from(whole);
    f64::from(u32::try_from(basis_points.min(10_000)).unwrap_or(10_000)) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_318), "1,318");
        assert_eq!(grouped(12_345_678), "12,345,678");
    }

    #[test]
    fn shares_stay_between_nothing_and_all() {
        assert!((percent(1, 3) - 33.33).abs() < 1e-9);
        assert!((percent(5, 3) - 100.0).abs() < 1e-9);
        assert!(percent(5, 0).abs() < 1e-9);
    }
}
