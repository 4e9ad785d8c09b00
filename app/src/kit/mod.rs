//! The portal's own component kit: one component per file, one sheet of the same name in `style/kit/`. Every page uses it; it knows no page and
//! asks the server for nothing.

mod amount;
mod badge;
mod button;
mod command;
mod copy;
mod digest;
mod empty;
mod field;
mod filter;
mod icon;
mod name;
mod notice;
mod pager;
mod question;
mod refusal;
mod table;
mod tabs;
mod time;

pub use amount::{Bytes, grouped, percent};
pub use badge::{Access, Badge};
pub use button::LinkButton;
pub use command::{Commands, Recipe};
pub use copy::Copy;
pub use digest::{Digest, FullDigest};
pub use empty::{Art, Empty};
pub use field::Field;
pub use filter::Filter;
pub use icon::{Icon, Mark};
pub use name::{media_type, name};
pub use notice::{Notice, Tone};
pub use pager::{Pager, PastTheEnd};
pub use question::{Answers, Outcome, Question, Undone};
pub use refusal::Refusal;
pub use table::{Column, Table};
pub use tabs::{Tab, Tabs};
pub use time::{Clock, Moment};
