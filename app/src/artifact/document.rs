//! Sets a JSON document out for reading, in the order and the spelling in which it was pushed. The wiring of the artifact page uses it.

/// Bytes that are shown of a document: the page carries them twice, once to be read and once for the browser's program.
const LONGEST: usize = 32 << 10;
/// Steps that lines are moved in by, at most: a document may nest deeper than a page is wide.
const DEEPEST: usize = 32;

/// A member a line, and whether there was more than is shown. What is no JSON comes out as some text.
pub(super) fn set_out(document: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(&document[..document.len().min(LONGEST)]);
    let mut out = Layout::default();
    let mut characters = text.chars().peekable();
    let (mut in_string, mut is_escaped) = (false, false);
    while let Some(character) = characters.next() {
        if out.text.len() >= LONGEST {
            return (out.text, true);
        }
        if in_string {
            out.text.push(character);
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                out.text.push(character);
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.text.push(end),
                    None => out.inner(),
                }
            }
            '}' | ']' => out.outer(character),
            ',' => {
                out.text.push(',');
                out.line();
            }
            ':' => out.text.push_str(": "),
            other if other.is_ascii_whitespace() => {}
            other => {
                in_string = other == '"';
                out.text.push(other);
            }
        }
    }
    (out.text, document.len() > LONGEST)
}

/// The text so far, and how deep in it is.
#[derive(Default)]
struct Layout {
    text: String,
    depth: usize,
}

impl Layout {
    fn line(&mut self) {
        self.text.push('\n');
        for _ in 0..self.depth.min(DEEPEST) {
            self.text.push_str("  ");
        }
    }

    fn inner(&mut self) {
        self.depth += 1;
        self.line();
    }

    fn outer(&mut self, end: char) {
        self.depth = self.depth.saturating_sub(1);
        self.line();
        self.text.push(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_lines_in_the_order_they_came() {
        let (text, is_cut) = set_out(br#"{"b" : [1,{"a":"x, {y} \\"z\\" \\\\"}], "a":{ }, "c":[]}"#);
        let lines = [
            "{",
            "  \"b\": [",
            "    1,",
            "    {",
            r#"      "a": "x, {y} \\"z\\" \\\\""#,
            "    }",
            "  ],",
            "  \"a\": {},",
            "  \"c\": []",
            "}",
        ];
        assert_eq!((text.lines().collect::<Vec<_>>(), is_cut), (lines.to_vec(), false));
    }

    #[test]
    fn a_page_stays_small_whatever_the_document() {
        for document in [vec![b'['; 4 << 20], vec![b'"'; 4 << 20], vec![0xff; 4 << 20], b"[1,".repeat(1 << 20)] {
            let (text, is_cut) = set_out(&document);
            assert!(is_cut && text.len() < LONGEST + 3 * LONGEST, "{} bytes", text.len());
        }
        assert_eq!(set_out(b"]}"), ("\n]\n}".to_owned(), false));
    }
}
