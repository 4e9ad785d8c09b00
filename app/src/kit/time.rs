//! Instants, written absolutely by the server in UTC so that the browser agrees. Pages use [`Moment`].

use leptos::prelude::*;
use model::Instant;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// An instant as `<time>`: `21 Nov 2026, 00:31 UTC`.
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
    view! {
        <time datetime=at.to_string() title=exact(at)>
            {text(at)}
        </time>
    }
    .into_any()
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
}
