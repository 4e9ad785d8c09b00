//! Light, dark or as the system says: a cookie that the server writes and reads, so that no page flashes. The account menu posts to
//! [`set_theme`]; the document and the menu read [`Theme`].

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ui::UiError;

/// The reader's choice of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Whatever the operating system says.
    #[default]
    System,
    /// Day.
    Light,
    /// Night.
    Dark,
}

impl Theme {
    /// All choices in the order of the menu.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Reads a word from a form or a cookie; anything else is the system's choice.
    pub fn from_word(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The word that forms and the cookie carry.
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The word a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "Follow the system",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// The value of `data-theme` on the document; none leaves the choice to the system.
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then_some(self.word())
    }

    /// The choice that a request's `Cookie` headers carry.
    #[cfg(feature = "ssr")]
    pub fn of_request(headers: &http::HeaderMap) -> Self {
        headers
            .get_all(http::header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|pair| pair.trim().strip_prefix("theme="))
            .map(Self::from_word)
            .unwrap_or_default()
    }

    /// The `Set-Cookie` value that remembers the choice for a year; the system's choice forgets it. Not a secret, so neither `HttpOnly`
    /// nor `Secure` is needed; `Lax` keeps it off other sites' requests.
    pub fn cookie(self) -> String {
        let age = if self == Self::System { 0 } else { 365 * 24 * 3600 };
        format!("theme={}; Path=/; Max-Age={age}; SameSite=Lax", self.word())
    }
}

/// Remembers the theme and goes back to the page that asked. A plain form post: it works without scripts.
///
/// # Errors
/// None of its own.
#[server(prefix = "/ui/fn", endpoint = "theme")]
pub async fn set_theme(theme: String, #[server(default)] back: String) -> Result<(), UiError> {
    use leptos_axum::ResponseOptions;
    let theme = Theme::from_word(&theme);
    if let (Some(response), Ok(cookie)) = (use_context::<ResponseOptions>(), http::HeaderValue::from_str(&theme.cookie())) {
        response.append_header(http::header::SET_COOKIE, cookie);
    }
    leptos_axum::redirect(crate::session::landing(&back));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_choice_forgets_the_cookie() {
        assert_eq!(Theme::System.cookie(), "theme=system; Path=/; Max-Age=0; SameSite=Lax");
        assert!(Theme::Dark.cookie().starts_with("theme=dark; Path=/; Max-Age=31536000"));
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn the_cookie_is_found_among_others() {
        let of = |cookie: &str| {
            let mut headers = http::HeaderMap::new();
            headers.append(http::header::COOKIE, http::HeaderValue::from_str(cookie).unwrap());
            Theme::of_request(&headers)
        };
        assert_eq!(of("sid=x; theme=dark; a=b"), Theme::Dark);
        assert_eq!(of("theme=light"), Theme::Light);
        assert_eq!(of("mytheme=dark"), Theme::System);
        assert_eq!(of("theme=<script>"), Theme::System);
        for theme in Theme::ALL {
            assert_eq!(Theme::from_word(theme.word()), theme);
        }
    }
}
