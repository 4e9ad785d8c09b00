//! Digests with their pennant: a three-cloth flag cut from the first three digits, so that two tags on one image fly the same. The flag is
//! decoration and proof of nothing; the digits stand beside it.

use leptos::prelude::*;

use super::Copy;

/// Twelve digits with the pennant, a link where there is something to open, and a button that copies the whole digest.
#[component]
pub fn Digest(
    /// `sha256:…` in full.
    digest: String,
    /// Where it leads.
    #[prop(optional_no_strip, into)]
    href: Option<String>,
) -> impl IntoView {
    let short = short(&digest).to_owned();
    let label = format!("Copy digest {short}");
    let cloths = pennant(&digest, "pennant");
    let shown = match href {
        Some(href) => view! {
            <a class="digest" href=href title=digest.clone()>
                {cloths}
                {short}
            </a>
        }
        .into_any(),
        None => view! {
            <span class="digest" title=digest.clone()>
                {cloths}
                {short}
            </span>
        }
        .into_any(),
    };
    view! {
        <span class="row-tight">
            {shown}
            <Copy text=digest label=label />
        </span>
    }
}

/// The whole digest with a large pennant, for the page of the artifact itself.
#[component]
pub fn FullDigest(
    /// `sha256:…` in full.
    digest: String,
) -> impl IntoView {
    view! {
        <p class="row-tight">
            {pennant(&digest, "pennant lg")}
            <span class="digest full">{digest.clone()}</span>
            <Copy text=digest label="Copy the digest".to_owned() />
        </p>
    }
}

/// The first twelve digits after the algorithm.
fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}

/// The three cloths: each digit chooses one of eight; the second and third never repeat the one before, or the flag would lose a cloth.
fn cloths(digest: &str) -> [u32; 3] {
    let mut digits = short(digest).chars().map(|digit| digit.to_digit(16).unwrap_or(0) % 8);
    let mut next = |before: Option<u32>| {
        let cloth = digits.next().unwrap_or(0);
        if Some(cloth) == before { (cloth + 3) % 8 } else { cloth }
    };
    let first = next(None);
    let second = next(Some(first));
    [first, second, next(Some(second))]
}

fn pennant(digest: &str, class: &'static str) -> AnyView {
    let [first, second, third] = cloths(digest);
    view! {
        <svg class=class viewBox="0 0 18 12" preserveAspectRatio="none" aria-hidden="true">
            <rect class=format!("f{first}") width="7" height="12"></rect>
            <rect class=format!("f{second}") x="6" width="6" height="12"></rect>
            <rect class=format!("f{third}") x="12" width="6" height="12"></rect>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_three_cloths_that_differ_from_their_neighbours() {
        assert_eq!(cloths("sha256:8b53639f152c"), [0, 3, 5]);
        assert_eq!(cloths("sha256:111fff"), [1, 4, 1]);
        assert_eq!(cloths(""), [0, 3, 0]);
        assert_eq!(short("sha512:0123456789abcdef"), "0123456789ab");
        assert_eq!(short("é"), "é");
    }
}
