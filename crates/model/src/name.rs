//! The grammar of names that people choose, and of passwords. Every refusal carries the wording that scripts match on.
//! The rules call these before anything is stored; the portal calls them while somebody types.

use std::{fmt, str::FromStr};

/// The name of a project: 1 to 255 characters, lower case letters and digits in words joined by one `.`, `_` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectName(String);

/// Why a text is no name of a project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectNameError {
    /// Empty or too long.
    #[error("Project name {0} is illegal in length. (greater than 255 or less than 1)")]
    Length(String),
    /// Something else than the grammar allows.
    #[error("project name is not in lower case or contains illegal characters")]
    Characters,
}

impl ProjectName {
    /// The longest name, in bytes.
    pub const MAX: usize = 255;
    /// The longest name that something can be pushed under, in bytes: the name of a repository has 255 at most, of which a slash and a letter
    /// follow the project's.
    pub const MAX_TO_PUSH: usize = 253;

    /// Checks and takes a name.
    pub fn new(name: impl Into<String>) -> Result<Self, ProjectNameError> {
        let name = name.into();
        if name.is_empty() || name.len() > Self::MAX {
            return Err(ProjectNameError::Length(name.chars().take(Self::MAX).collect()));
        }
        if Self::is_one(&name) { Ok(Self(name)) } else { Err(ProjectNameError::Characters) }
    }

    /// Whether a text could be the name of a project.
    pub fn is_one(text: &str) -> bool {
        text.len() <= Self::MAX && is_dashed_words(text)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for ProjectName {
    type Err = ProjectNameError;
    fn from_str(name: &str) -> Result<Self, ProjectNameError> {
        Self::new(name)
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ProjectName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The name of a robot as it is chosen, before the project and the prefix are put in front: the grammar of a project's name, at most 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RobotName(String);

/// The text is no name of a robot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("robot name is not in lower case or contains illegal characters")]
pub struct RobotNameError;

impl RobotName {
    /// Checks and takes a name.
    pub fn new(name: impl Into<String>) -> Result<Self, RobotNameError> {
        let name = name.into();
        if name.len() <= 255 && is_dashed_words(&name) { Ok(Self(name)) } else { Err(RobotNameError) }
    }

    /// The name as chosen.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as stored: a robot of a project carries the project in front, `project+name`.
    pub fn stored(&self, project: Option<&str>) -> String {
        match project {
            Some(project) => format!("{project}+{}", self.0),
            None => self.0.clone(),
        }
    }
}

impl FromStr for RobotName {
    type Err = RobotNameError;
    fn from_str(name: &str) -> Result<Self, RobotNameError> {
        Self::new(name)
    }
}

/// `[a-z0-9]+(?:[._-][a-z0-9]+)*`
fn is_dashed_words(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split(['.', '_', '-']).all(word)
}

/// What is wrong with what somebody wrote about themselves or another user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserFieldError {
    /// Not 1 to 255 characters.
    #[error("username with illegal length")]
    UsernameLength,
    /// One of the characters that names must not have.
    #[error("username contains illegal characters")]
    UsernameCharacters,
    /// Not 1 to 255 characters.
    #[error("realname with illegal length")]
    RealnameLength,
    /// One of the characters that names must not have.
    #[error("realname contains illegal characters")]
    RealnameCharacters,
    /// There is none.
    #[error("email can't be empty")]
    EmailEmpty,
    /// More than 255 characters.
    #[error("email with illegal length")]
    EmailLength,
    /// It looks like none.
    #[error("email with illegal format")]
    EmailFormat,
    /// More than 30 characters.
    #[error("comment with illegal length")]
    CommentLength,
    /// A null character, which not every database keeps.
    #[error("comment contains illegal characters")]
    CommentCharacters,
    /// Too short, too long or too plain.
    #[error(
        "the password or secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number"
    )]
    Password,
}

/// Characters that separate or wrap in logins, query patterns and lists of names, and controls.
fn has_illegal(text: &str) -> bool {
    text.chars().any(|c| matches!(c, ',' | '"' | '~' | '#' | '%' | '$') || c.is_control())
}

fn has_length(text: &str) -> bool {
    (1..=255).contains(&text.chars().count())
}

/// A login name: 1 to 255 characters, none of `, " ~ # % $` and no control characters.
pub fn validate_username(name: &str) -> Result<(), UserFieldError> {
    if !has_length(name) {
        Err(UserFieldError::UsernameLength)
    } else if has_illegal(name) {
        Err(UserFieldError::UsernameCharacters)
    } else {
        Ok(())
    }
}

/// A name for people, with the limits of a login name.
pub fn validate_realname(name: &str) -> Result<(), UserFieldError> {
    if !has_length(name) {
        Err(UserFieldError::RealnameLength)
    } else if has_illegal(name) {
        Err(UserFieldError::RealnameCharacters)
    } else {
        Ok(())
    }
}

/// An email address: at most 255 characters, one `@`, a dotted local part, a host of labels with an alphabetic last one, or an IPv4 address in brackets.
pub fn validate_email(email: &str) -> Result<(), UserFieldError> {
    if email.is_empty() {
        return Err(UserFieldError::EmailEmpty);
    }
    if email.len() > 255 {
        return Err(UserFieldError::EmailLength);
    }
    match email.rsplit_once('@') {
        Some((local, host)) if is_local_part(local) && is_mail_host(host) => Ok(()),
        _ => Err(UserFieldError::EmailFormat),
    }
}

fn is_local_part(local: &str) -> bool {
    let special = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"@".contains(c);
    local.split('.').all(|part| !part.is_empty() && !part.contains(special))
}

fn is_mail_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv4Addr>().is_ok();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top_level = |label: &str| label.len() >= 2 && label.bytes().all(|b| b.is_ascii_alphabetic());
    host.rsplit_once('.').is_some_and(|(_, last)| top_level(last)) && host.split('.').all(label)
}

/// A remark about a user: at most 30 characters, none of them null.
pub fn validate_comment(comment: &str) -> Result<(), UserFieldError> {
    if comment.chars().count() > 30 {
        Err(UserFieldError::CommentLength)
    } else if comment.contains('\0') {
        Err(UserFieldError::CommentCharacters)
    } else {
        Ok(())
    }
}

/// A password or a secret: 8 to 128 characters with a lower case letter, an upper case letter and a digit.
pub fn validate_password(secret: &str) -> Result<(), UserFieldError> {
    let has = |of: fn(&u8) -> bool| secret.as_bytes().iter().any(of);
    let good = (8..=128).contains(&secret.chars().count())
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit);
    if good { Ok(()) } else { Err(UserFieldError::Password) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_names() {
        for good in ["a", "0", "library", "a.b", "a_b-c.d", "123", &"a".repeat(255)] {
            assert_eq!(ProjectName::new(good).unwrap().as_str(), good);
        }
        for bad in ["North", "a/b", "a--b", "a__b", "ab.", "-a", "a b", "größe", "a.-b", "a\n"] {
            assert_eq!(ProjectName::new(bad), Err(ProjectNameError::Characters), "{bad}");
        }
        let empty = ProjectName::new("").unwrap_err().to_string();
        assert_eq!(empty, "Project name  is illegal in length. (greater than 255 or less than 1)");
        assert!(matches!(ProjectName::new("a".repeat(256)), Err(ProjectNameError::Length(_))));
    }

    #[test]
    fn robot_names() {
        let name = RobotName::new("ci").unwrap();
        assert_eq!((name.stored(None), name.stored(Some("north"))), ("ci".to_owned(), "north+ci".to_owned()));
        for bad in ["", "Ci", "a+b", "robot$x", "a b", "a."] {
            assert_eq!(RobotName::new(bad), Err(RobotNameError), "{bad}");
        }
    }

    #[test]
    fn user_names() {
        for good in ["dana", "Dana Smith", "dana.smith@example.com", "größe", &"ü".repeat(255)] {
            assert_eq!(validate_username(good), Ok(()), "{good}");
            assert_eq!(validate_realname(good), Ok(()), "{good}");
        }
        for bad in ["x,j", "x$k", "x#l", "x%m", "x~n", "x\"o", "x\ny"] {
            assert_eq!(validate_username(bad), Err(UserFieldError::UsernameCharacters), "{bad}");
            assert_eq!(validate_realname(bad), Err(UserFieldError::RealnameCharacters), "{bad}");
        }
        assert_eq!(validate_username(""), Err(UserFieldError::UsernameLength));
        assert_eq!(validate_realname(&"x".repeat(256)), Err(UserFieldError::RealnameLength));
    }

    #[test]
    fn emails() {
        for good in ["dana@example.com", "d.a-n+a@sub.example.co", "x@[127.0.0.1]", "größe@example.com"] {
            assert_eq!(validate_email(good), Ok(()), "{good}");
        }
        for bad in [
            "nope",
            "x",
            "@example.com",
            "a@b",
            "a@b..c",
            "a@-b.c",
            ".a@example.com",
            "a b@c.de",
            "a@b@c.de",
            "a@b.c",
            "a@b.c1",
            "a@[1.2.3]",
        ] {
            assert_eq!(validate_email(bad), Err(UserFieldError::EmailFormat), "{bad}");
        }
        assert_eq!(validate_email("").unwrap_err().to_string(), "email can't be empty");
        assert_eq!(validate_email(&format!("{}@example.com", "a".repeat(250))), Err(UserFieldError::EmailLength));
    }

    #[test]
    fn comments_and_passwords() {
        assert_eq!(validate_comment(&"c".repeat(30)), Ok(()));
        assert_eq!(validate_comment(&"c".repeat(31)), Err(UserFieldError::CommentLength));
        assert_eq!(validate_comment("a\0b"), Err(UserFieldError::CommentCharacters));
        for good in ["Passw0rd", &format!("Aa1{}", "x".repeat(125))] {
            assert_eq!(validate_password(good), Ok(()));
        }
        for bad in ["", "Pw1", "Passwordx", "passw0rd1", "PASSW0RD1", "        ", &format!("Aa1{}", "x".repeat(126))] {
            assert_eq!(validate_password(bad), Err(UserFieldError::Password), "{bad}");
        }
    }
}
