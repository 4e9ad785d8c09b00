//! The sign-in page: a plain form that the server answers with a redirect, so it needs no script at all.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{SignInView, Visitor, landing, server};
use crate::{
    address,
    kit::{Icon, Mark, Notice, Tone},
    shell::loaded,
};

/// `/account/sign-in?redirect_url=…&error=…`, or `?done=password` after that was changed.
#[component]
pub fn SignInPage() -> impl IntoView {
    let query = use_query_map();
    let answer = Resource::new(|| (), |()| server::visitor());
    loaded(answer, move |visitor, view| {
        let (back, problem, changed) = query.with_untracked(|query| {
            let back = landing(query.get_str("redirect_url").unwrap_or_default()).to_owned();
            (back, query.get_str("error").map(Problem::from_word), query.get_str("done") == Some("password"))
        });
        if visitor.account.is_some() {
            return view! { <Redirect path=back /> }.into_any();
        }
        sign_in(visitor, view, back, problem, changed)
    })
}

/// `/harbor/sign-in`, where Harbor's own page was once.
#[component]
pub fn ToSignIn() -> impl IntoView {
    view! { <Redirect path=address::SIGN_IN /> }
}

/// Why the form came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Invalid,
    Waiting,
    Broken,
}

impl Problem {
    fn from_word(word: &str) -> Self {
        match word {
            "invalid" => Self::Invalid,
            "locked" => Self::Waiting,
            _ => Self::Broken,
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Invalid => "That name and password don’t match.",
            Self::Waiting => "Too many tries. Wait a few minutes, then try again.",
            Self::Broken => "Signing in doesn’t work just now. Pulls and pushes with a valid token go on. Try again in a moment.",
        }
    }
}

fn sign_in(visitor: Visitor, view: SignInView, back: String, problem: Option<Problem>, changed: bool) -> AnyView {
    let changed = changed.then(|| {
        view! { <Notice tone=Tone::Info text="Your password is changed, and your sessions have ended. Sign in with the new one." /> }
    });
    view! {
        <Title text="Sign in · Berth" />
        <div class="gate">
            <main id="main">
                <p class="brand">
                    <Mark />
                    "Berth"
                </p>
                <div class="in">
                    <div class="stack-sm">
                        <h1>"Sign in"</h1>
                        <p class="muted sm">{visitor.registry}</p>
                    </div>
                    {changed}
                    {form(view.name, back, problem)}
                    <p class="sm muted">
                        "No account? " <a href=address::PROJECTS>"Browse public projects"</a>
                    </p>
                </div>
            </main>
            <div class="sea" aria-hidden="true">
                {chart()}
            </div>
        </div>
    }
    .into_any()
}

fn form(name: String, back: String, problem: Option<Problem>) -> AnyView {
    let wrong = problem == Some(Problem::Invalid);
    let invalid = wrong.then_some("true");
    let described = wrong.then_some("sign-in-err");
    let error = problem.map(|problem| {
        view! {
            <p class="err" id="sign-in-err" role="alert">
                <Icon name="error" />
                <span>{problem.message()}</span>
            </p>
        }
    });
    view! {
        <form class="form" method="post" action=address::SIGN_IN>
            <input type="hidden" name="redirect_url" value=back />
            <div class="field">
                <label for="principal">"User name"</label>
                <input
                    type="text"
                    class="input"
                    id="principal"
                    name="principal"
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    maxlength="255"
                    value=name
                    required
                    aria-invalid=invalid
                    aria-describedby=described
                />
            </div>
            <div class="field">
                <label for="password">"Password"</label>
                <input
                    type="password"
                    class="input"
                    id="password"
                    name="password"
                    autocomplete="current-password"
                    maxlength="1024"
                    required
                    aria-invalid=invalid
                    aria-describedby=described
                />
                {error}
            </div>
            <button class="btn btn-primary btn-lg btn-block" type="submit">
                "Sign in"
            </button>
        </form>
    }
    .into_any()
}

/// A harbour chart: depth lines, a quay, ships at their berths, one berth free and the way to it.
fn chart() -> AnyView {
    view! {
        <svg class="chartart" viewBox="0 0 800 900" preserveAspectRatio="xMidYMid slice">
            <path class="shoal" d="M430 -30C520 90 460 180 478 260S380 400 388 460 430 560 412 640 500 760 490 830 440 900 440 940H820V-30Z"></path>
            <path class="shoal2" d="M587 -30C610 60 560 130 578 220S520 350 528 420 566 520 562 620 606 740 602 820 560 890 556 940H820V-30Z"></path>
            <path class="iso" d="M311 -30C350 70 240 120 254 220S140 340 150 410 240 500 232 590 350 720 342 790 284 880 280 940"></path>
            <path class="iso" d="M173 -30C180 60 92 90 110 190S56 320 66 380 150 490 154 570 240 680 230 760 170 880 158 940"></path>
            <path class="iso2" d="M430 -30C520 90 460 180 478 260S380 400 388 460 430 560 412 640 500 760 490 830 440 900 440 940"></path>
            <path class="iso2" d="M587 -30C610 60 560 130 578 220S520 350 528 420 566 520 562 620 606 740 602 820 560 890 556 940"></path>
            <path class="land" d="M640 -30C660 60 610 140 622 240S560 370 566 430 600 520 598 620 640 720 636 800 596 900 590 940H840V-30Z"></path>
            <rect class="basin" x="452" y="301" width="198" height="338" rx="2"></rect>
            <path class="quay" d="M840 300H640V344H470V372H640V452H440V480H640V560H500V588H640V640H840Z"></path>
            <path class="ship2" d="M500 376H598Q600 376 600 378V398Q600 400 598 400H500Q484 388 500 376Z"></path>
            <path class="ship" d="M472 424H580Q582 424 582 426V446Q582 448 580 448H472Q456 436 472 424Z"></path>
            <path class="ship2" d="M530 484H614Q616 484 616 486V506Q616 508 614 508H530Q514 496 530 484Z"></path>
            <rect class="berth" x="512" y="592" width="120" height="28" rx="3"></rect>
            <path class="route" d="M60 860C150 760 210 742 300 690S430 612 506 606"></path>
            <path class="ship" transform="translate(236 706) rotate(-27)" d="M0 0H48L62 11L48 22H0Q-3 22-3 19V3Q-3 0 0 0Z"></path>
            <text x="95" y="120">"42"</text>
            <text x="300" y="150">"27"</text>
            <text x="395" y="90">"18"</text>
            <text x="120" y="330">"45"</text>
            <text x="300" y="520">"24"</text>
            <text x="160" y="640">"40"</text>
            <text x="370" y="800">"16"</text>
        </svg>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup;

    fn page(problem: Option<Problem>) -> String {
        markup::render(move || {
            let visitor = Visitor { registry: "registry.example".into(), ..Visitor::default() };
            let view = SignInView { name: "maya <m>".into() };
            sign_in(visitor, view, "/harbor/projects?q=\"x\"".into(), problem, problem.is_none())
        })
    }

    #[test]
    fn the_form_needs_no_script() {
        let html = page(None);
        markup::check(&html);
        assert!(html.contains(r#"method="post" action="/account/sign-in""#), "{html}");
        for name in ["principal", "password", "redirect_url"] {
            assert!(html.contains(&format!("name=\"{name}\"")), "{name}");
        }
        assert!(html.contains("value=\"/harbor/projects?q=&quot;x&quot;\""), "{html}");
        assert!(html.contains("registry.example") && !html.contains("role=\"alert\""));
        assert!(html.contains("Your password is changed"), "{html}");
    }

    #[test]
    fn a_wrong_password_is_said_beside_the_field() {
        let html = page(Some(Problem::from_word("invalid")));
        markup::check(&html);
        assert!(html.contains("value=\"maya &lt;m&gt;\"") && !html.contains("is changed"), "{html}");
        assert!(html.contains("don’t match") && html.contains("aria-invalid=\"true\"") && html.contains("role=\"alert\""));
        assert!(page(Some(Problem::from_word("<b>"))).contains("doesn’t work just now"));
    }
}
