//! Instants, written absolutely by the server in UTC so that the browser agrees; where scripts run, what is recent then becomes "5 min ago".
//! Pages use [`Moment`], the application starts the [`Clock`].

use leptos::prelude::*;
use model::Instant;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The time in the browser, one for all instants of the page; without scripts it never starts.
#[derive(Clone, Copy, Debug)]
pub struct Clock(RwSignal<Option<Instant>>);

impl Clock {
    /// Puts a clock into the context of everything below.
    pub fn provide() {
        let now = RwSignal::new(None);
        provide_context(Self(now));
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            now.set(Some(browser_now()));
            let ticking = set_interval_with_handle(move || now.set(Some(browser_now())), TICK);
            on_cleanup(move || {
                if let Ok(ticking) = ticking {
                    ticking.clear();
                }
            });
        });
    }
}

#[cfg(feature = "hydrate")]
const TICK: std::time::Duration = std::time::Duration::from_secs(30);

#[cfg(feature = "hydrate")]
fn browser_now() -> Instant {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 are whole and far below 2^53")]
    Instant::from_micros(web_sys::js_sys::Date::now() as i64 * 1000)
}

/// An instant as `<time>`: `21 Nov 2026, 00:31 UTC`, and `5 min ago` once scripts run.
#[component]
pub fn Moment(
    /// When; the API's "never" is a word.
    at: Instant,
    /// The word for an instant that has not come.
    #[prop(default = "Never")]
    never: &'static str,
) -> impl IntoView {
    if at.is_zero_time() {
        return view! { <span class="muted">{never}</span> }.into_any();
    }
    let clock = use_context::<Clock>();
    let recent = RwSignal::new(None::<String>);
    // An effect runs after hydration, so that the browser first finds what the server wrote.
    Effect::new(move |_| recent.set(clock.and_then(|clock| clock.0.get()).and_then(|now| ago(at, now))));
    view! {
        <time datetime=at.to_string() title=exact(at)>
            {move || recent.get().unwrap_or_else(|| text(at))}
        </time>
    }
    .into_any()
}

/// How long ago, up to seven days; the browser's clock may be a minute behind the server's.
fn ago(at: Instant, now: Instant) -> Option<String> {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let seconds = now.unix_seconds() - at.unix_seconds();
    if !(-MINUTE..=7 * DAY).contains(&seconds) {
        return None;
    }
    Some(if seconds < MINUTE {
        "Just now".to_owned()
    } else if seconds < HOUR {
        format!("{} min ago", seconds / MINUTE)
    } else if seconds < DAY {
        format!("{} h ago", seconds / HOUR)
    } else {
        format!("{} d ago", seconds / DAY)
    })
}

fn text(at: Instant) -> String {
    let c = at.civil();
    let month = usize::try_from(c.month).ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).copied().unwrap_or_default();
    format!("{} {month} {}, {:02}:{:02} UTC", c.day, c.year, c.hour, c.minute)
}

fn exact(at: Instant) -> String {
    let c = at.civil();
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_the_same_everywhere() {
        let at: Instant = "2026-11-21T00:31:05.123Z".parse().unwrap();
        assert_eq!(text(at), "21 Nov 2026, 00:31 UTC");
        assert_eq!(exact(at), "2026-11-21 00:31:05 UTC");
    }

    #[test]
    fn what_is_recent_is_told_by_its_age() {
        let now = Instant::from_unix_seconds(1_800_000_000);
        let before = |seconds: i64| ago(Instant::from_unix_seconds(1_800_000_000 - seconds), now);
        assert_eq!(before(20).as_deref(), Some("Just now"));
        assert_eq!(before(-30).as_deref(), Some("Just now"));
        assert_eq!(before(119).as_deref(), Some("1 min ago"));
        assert_eq!(before(5 * 3600 + 7).as_deref(), Some("5 h ago"));
        assert_eq!(before(7 * 86_400).as_deref(), Some("7 d ago"));
        assert_eq!(before(7 * 86_400 + 1), None);
        assert_eq!(before(-600), None);
    }
}
