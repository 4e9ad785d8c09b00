//! Points in time as microseconds, and their one text form: RFC 3339 in UTC with milliseconds, as the API sends it.
//! Everybody uses [`Instant`]; only clocks (which live elsewhere) make new ones.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr, time::Duration};

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// A point in time: microseconds since 1970-01-01T00:00:00Z, negative before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// A date and a time of day in UTC (proleptic Gregorian calendar).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Astronomical year (1 BC is 0).
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999 999.
    pub micros: u32,
}

impl Instant {
    /// What the API sends for "never" (`0001-01-01T00:00:00.000Z`), for instance as the pull time of what was never pulled.
    pub const ZERO_TIME: Self = Self(-62_135_596_800 * MICROS);

    /// From microseconds since the epoch, as stored.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch; saturates at the ends of the range.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// Is this the "never" of the API?
    pub const fn is_zero_time(self) -> bool {
        self.0 == Self::ZERO_TIME.0
    }

    /// Later by this much; saturates at the end of the range.
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// Earlier by this much; saturates at the start of the range.
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// How long after `earlier` this is; zero when it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Date and time of day in UTC.
    pub fn civil(self) -> Civil {
        let seconds = self.0.div_euclid(MICROS);
        let (year, month, day) = date_of(seconds.div_euclid(DAY));
        // The remainders are smaller than a day, so they fit.
        let of_day = seconds.rem_euclid(DAY) as u32;
        Civil {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            micros: self.0.rem_euclid(MICROS) as u32,
        }
    }

    /// From a date and time in UTC; `None` when it is no such date or out of range.
    pub fn from_civil(c: Civil) -> Option<Self> {
        let valid = (1..=12).contains(&c.month)
            && (1..=days_in_month(c.year, c.month)).contains(&c.day)
            && c.hour < 24
            && c.minute < 60
            && c.second < 60
            && i64::from(c.micros) < MICROS
            && (-290_000..=290_000).contains(&c.year);
        if !valid {
            return None;
        }
        let seconds = days_of(c.year, c.month, c.day) * DAY + i64::from(c.hour * 3600 + c.minute * 60 + c.second);
        seconds.checked_mul(MICROS)?.checked_add(i64::from(c.micros)).map(Self)
    }
}

impl Default for Instant {
    /// The API's "never", so that an unset time renders as clients expect.
    fn default() -> Self {
        Self::ZERO_TIME
    }
}

/// Days since the epoch of a date. Years are counted from March, so that the leap day is the last of its year; 400 years have 146097 days.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The reverse of [`days_of`].
fn date_of(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.micros / 1000)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no RFC 3339 time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time like 2006-01-02T15:04:05Z")]
pub struct TimeError;

impl FromStr for Instant {
    type Err = TimeError;

    /// RFC 3339: any number of fraction digits (what is below a microsecond is dropped), `Z` or an offset `±hh:mm`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (local, rest) = civil_prefix(text).ok_or(TimeError)?;
        let offset = offset_seconds(rest).ok_or(TimeError)?;
        let local = Self::from_civil(local).ok_or(TimeError)?;
        Ok(Self(local.0.saturating_sub(offset * MICROS)))
    }
}

/// A time without offset, `2006-01-02T15:04:05`, taken as UTC: the form of the query language. `None` when it is anything else.
pub fn parse_local(text: &str) -> Option<Instant> {
    match civil_prefix(text)? {
        (civil, "") if text.len() == 19 => Instant::from_civil(civil),
        _ => None,
    }
}

/// Reads `YYYY-MM-DDThh:mm:ss[.fraction]` and returns what follows it.
fn civil_prefix(text: &str) -> Option<(Civil, &str)> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || !text.is_char_boundary(19) {
        return None;
    }
    let separators = [(4, b"-"), (7, b"-"), (13, b":"), (16, b":")];
    if separators.iter().any(|&(at, sign)| bytes[at] != sign[0]) || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u32> {
        bytes[from..to].iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    let (micros, rest) = fraction(&text[19..])?;
    let civil = Civil {
        year: i64::from(number(0, 4)?),
        month: number(5, 7)?,
        day: number(8, 10)?,
        hour: number(11, 13)?,
        minute: number(14, 16)?,
        second: number(17, 19)?,
        micros,
    };
    Some((civil, rest))
}

/// An optional `.digits` as microseconds.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = digits.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    let mut micros = 0;
    for place in 0..6 {
        let digit = digits.as_bytes()[..end].get(place).map_or(0, |b| u32::from(b - b'0'));
        micros = micros * 10 + digit;
    }
    Some((micros, &digits[end..]))
}

/// `Z` or `±hh:mm` as seconds east of UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let bytes = text.as_bytes();
    let sign = match bytes.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digit = |at: usize| bytes.get(at).filter(|b| b.is_ascii_digit()).map(|b| i64::from(b - b'0'));
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digit(1)? * 10 + digit(2)?, digit(4)? * 10 + digit(5)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_render_as_the_api_does() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_456, "2023-11-14T22:13:20.123Z"),
            (951_782_400 * MICROS, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (Instant::ZERO_TIME.0, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799 * MICROS, "9999-12-31T23:59:59.000Z"),
        ];
        for (micros, text) in table {
            assert_eq!(Instant::from_micros(micros).to_string(), text);
        }
        assert_eq!(Instant::default(), Instant::ZERO_TIME);
        assert_eq!(Instant::from_micros(-1).unix_seconds(), -1);
    }

    #[test]
    fn parsing_takes_any_fraction_and_offset() {
        let table = [
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000_000)),
            ("2023-11-14T22:13:20.5Z", Some(1_700_000_000_500_000)),
            ("2023-11-14T22:13:20.123456789Z", Some(1_700_000_000_123_456)),
            ("2023-11-15T00:13:20+02:00", Some(1_700_000_000_000_000)),
            ("2023-11-14T16:43:20.000-05:30", Some(1_700_000_000_000_000)),
            ("2023-02-29T00:00:00Z", None),
            ("2023-13-01T00:00:00Z", None),
            ("2023-11-14T24:00:00Z", None),
            ("2023-11-14T22:13:20", None),
            ("2023-11-14T22:13:20.Z", None),
            ("2023-11-14T22:13:20+2:00", None),
            ("2023-11-14T22:13:2é", None),
            ("", None),
        ];
        for (text, micros) in table {
            assert_eq!(text.parse::<Instant>().ok().map(Instant::micros), micros, "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_survives_the_round_trip() {
        let mut expected = (1600, 1, 1);
        for day in days_of(1600, 1, 1)..days_of(2400, 1, 1) {
            assert_eq!(date_of(day), expected);
            assert_eq!(days_of(expected.0, expected.1, expected.2), day);
            let (year, month, date) = expected;
            expected = if date < days_in_month(year, month) {
                (year, month, date + 1)
            } else if month < 12 {
                (year, month + 1, 1)
            } else {
                (year + 1, 1, 1)
            };
        }
    }

    #[test]
    fn json_is_the_text_and_comes_back() {
        let instant = Instant::from_micros(1_700_000_000_123_000);
        let json = serde_json::to_string(&instant).unwrap();
        assert_eq!(json, r#""2023-11-14T22:13:20.123Z""#);
        assert_eq!(serde_json::from_str::<Instant>(&json).unwrap(), instant);
        assert!(serde_json::from_str::<Instant>("5").is_err());
    }

    #[test]
    fn arithmetic_saturates() {
        let start = Instant::from_unix_seconds(10);
        assert_eq!(start.plus(Duration::from_millis(1)).micros(), 10_001_000);
        assert_eq!(Instant(i64::MAX).plus(Duration::MAX), Instant(i64::MAX));
        assert_eq!(start.minus(Duration::from_secs(3)).unix_seconds(), 7);
        assert_eq!(start.plus(Duration::from_secs(5)).since(start), Duration::from_secs(5));
        assert_eq!(start.since(start.plus(Duration::from_secs(5))), Duration::ZERO);
    }

    #[test]
    fn the_query_form_has_no_offset() {
        assert_eq!(parse_local("1970-01-01T00:00:01"), Some(Instant(MICROS)));
        for text in ["1970-01-01T00:00:01Z", "1970-01-01T00:00:01.5", "1970-01-01 00:00", "7"] {
            assert_eq!(parse_local(text), None, "{text}");
        }
    }
}
