//! Empty states: a drawing, what is missing, the one next step.

use leptos::prelude::*;

/// The drawings: a piece of a harbour chart each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Art {
    /// An empty quay: nothing here yet, or nothing here.
    Quay,
    /// A light over empty water: nothing matches.
    Beacon,
    /// A closed gate: not allowed.
    Barrier,
    /// A ship in trouble: something broke.
    Storm,
}

impl Art {
    fn strokes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Quay => &[
                ("ink", "M118 88h52M150 88v20"),
                ("ink", "M132 88V62h16v26M128 62h24v-7h-24z"),
                ("brass", "M136 74c-18 2-24 14-44 14-14 0-18-7-10-11s20 5 8 11"),
            ],
            Self::Beacon => &[
                ("ink", "M86 84 92 40h12l6 44M82 84h32M90 52h16"),
                ("brass", "M98 40V30M84 34l-12-6M112 34l12-6"),
                ("water", "M20 62h44M30 72h30M128 60h36M122 72h30"),
            ],
            Self::Barrier => &[("ink", "M40 96V48h8v48M132 96V48h8v48"), ("brass", "M48 58h84M48 70h84"), ("ink", "M84 64h12")],
            Self::Storm => {
                &[("fillp", "M52 74l52-10-2 20-34 8z"), ("ink", "M76 68 72 40M60 52l14-10 18 20"), ("brass", "M128 22l-10 18h12l-10 18")]
            }
        }
    }
}

/// An empty state.
#[component]
pub fn Empty(
    /// The drawing.
    art: Art,
    /// What is missing.
    #[prop(into)]
    title: String,
    /// The heading's level: 1 where it is the page's own title, else 2.
    #[prop(default = 2)]
    level: u8,
    /// An explanation and the next step.
    children: Children,
) -> impl IntoView {
    let strokes = art.strokes().iter().map(|(class, d)| view! { <path class=*class d=*d></path> }).collect_view();
    let heading = match level {
        1 => view! { <h1>{title}</h1> }.into_any(),
        _ => view! { <h2>{title}</h2> }.into_any(),
    };
    view! {
        <div class="empty">
            <svg class="art" viewBox="0 0 176 114" aria-hidden="true">
                {strokes}
                <path class="water" d="M8 96q9-6 18 0t18 0 18 0 18 0 18 0 18 0 18 0 18 0"></path>
                <path class="water2" d="M24 106q8-5 16 0t16 0 16 0 16 0 16 0 16 0 16 0"></path>
            </svg>
            {heading}
            {children()}
        </div>
    }
    .into_any()
}
