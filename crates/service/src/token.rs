//! Registry tokens: RS256 by a key made on first start, published as a JWK set. A token grants what was asked for and is allowed, and no more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use model::ProjectId;
use model::permission::TokenAccess;
use moka::sync::Cache;
use quick_cache::Weighter;
use serde::{Deserialize, Serialize};

use crate::actor::TokenActor;
use crate::seal::{Seal, SealError};
use crate::settings::Current;
use crate::{Clock, Error, Ids, Result};

/// `iss` of our tokens, as Harbor's.
pub const ISSUER: &str = "harbor-token-issuer";
/// `aud` of our tokens, and the `service` that clients must name.
pub const SERVICE: &str = "harbor-registry";
/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 60;
const KEY_NAME: &str = "token-signing-key";
/// Bytes that the subject and the scopes of one token may have; the token stays below what [`Tokens::verify`] reads.
const MAX_ASKED: usize = 10 * 1024;
/// Tokens and questions above this many bytes are not remembered: what is, is bounded in bytes as well as in number.
const MAX_REMEMBERED: usize = 4096;
/// Bytes of verified tokens that are remembered. What verification found stays true: only the time ends a token.
const VERIFIED_BYTES: u64 = 8 << 20;

/// One entry of a token's `access`, as clients asked for it and as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEntry {
    /// `repository` or `registry`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `project/path` or `catalog`.
    pub name: String,
    /// `pull`, `push`, `delete`, `*`, …
    pub actions: Vec<String>,
}

impl AccessEntry {
    /// The entry as the decision reads it; `None` for kinds and actions that grant nothing here.
    fn to_access(&self) -> Option<TokenAccess> {
        match self.kind.as_str() {
            "repository" => {
                let actions = self.actions.iter().filter_map(|a| a.parse().ok()).collect();
                Some(TokenAccess::Repository { name: self.name.clone(), actions })
            }
            "registry" if self.name == "catalog" && self.actions.iter().any(|a| a == "*") => Some(TokenAccess::Catalog),
            _ => None,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    access: Option<Vec<AccessEntry>>,
    /// The projects that `access` is about: names can be given away, ids cannot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    projects: Vec<ProjectId>,
}

/// A token for a client.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The JWT.
    pub token: Arc<str>,
    /// Unix seconds.
    pub issued_at: i64,
    /// Seconds.
    pub expires_in: i64,
}

/// A token with what it grants, about twice the token's own bytes.
#[derive(Clone, Debug)]
struct Weight;

impl Weighter<Box<str>, Arc<TokenActor>> for Weight {
    fn weight(&self, token: &Box<str>, _: &Arc<TokenActor>) -> u64 {
        (token.len() * 2 + 256) as u64
    }
}

/// Issues and verifies registry tokens.
pub struct Tokens {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    validation: Validation,
    jwks: String,
    settings: Arc<Current>,
    verified: quick_cache::sync::Cache<Box<str>, Arc<TokenActor>, Weight>,
    issued: Cache<String, (Instant, Issued)>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// Loads the instance's signing key, or makes and seals one.
    pub async fn open(db: &store::Db, seal: &Seal, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, settings: Arc<Current>) -> Result<Self> {
        let mut sealed = Self::sealed_key(db).await?;
        if sealed.is_none() {
            let key = tokio::task::spawn_blocking(|| KeyPair::generate(KeySize::Rsa2048)).await.map_err(Error::internal)?;
            let der: Pkcs8V1Der<'_> = key.map_err(Error::internal)?.as_der().map_err(Error::internal)?;
            let new = seal.seal(KEY_NAME, der.as_ref()).map_err(Error::internal)?;
            let mut tx = db.write().await?;
            sealed = Some(store::secret::put_if_absent(&mut tx.link(), KEY_NAME, &new, clock.micros()).await?);
            tx.commit().await?;
        }
        let der = seal.open(KEY_NAME, &sealed.unwrap_or_default()).map_err(Error::internal)?;
        Self::new(&der, clock, ids, settings)
    }

    /// The instance's signing key as it is sealed; none before the first start.
    ///
    /// # Errors
    /// The database.
    pub async fn sealed_key(db: &store::Db) -> Result<Option<Vec<u8>>> {
        let mut conn = db.read().await?;
        Ok(store::secret::get(&mut conn.link(), KEY_NAME).await?)
    }

    /// Whether a seal opens it.
    ///
    /// # Errors
    /// It was sealed with another key.
    pub fn check_key(seal: &Seal, sealed: &[u8]) -> std::result::Result<(), SealError> {
        seal.open(KEY_NAME, sealed).map(drop)
    }

    fn new(pkcs8: &[u8], clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, settings: Arc<Current>) -> Result<Self> {
        let key = KeyPair::from_pkcs8(pkcs8).map_err(Error::internal)?;
        let public = key.public_key();
        let spki: PublicKeyX509Der<'_> = public.as_der().map_err(Error::internal)?;
        let kid = key_id(spki.as_ref());
        let n = BASE64_URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let e = BASE64_URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(pkcs8));
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.clone());
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[SERVICE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "nbf"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        let jwks = serde_json::json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e}]}).to_string();
        Ok(Self {
            clock,
            ids,
            encoding: EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::internal)?,
            decoding: DecodingKey::from_rsa_components(&n, &e).map_err(Error::internal)?,
            header,
            validation,
            jwks,
            settings,
            verified: quick_cache::sync::Cache::with_weighter(4000, VERIFIED_BYTES, Weight),
            issued: Cache::builder().max_capacity(20_000).time_to_live(Duration::from_secs(5)).build(),
        })
    }

    /// The public half, as a JWK set document.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Signs a token. The same caller asking for the same within five seconds gets the same one: signing is the dearest part of a pull.
    /// `access` `None`: no scope was asked for. `projects`: those that its names meant when it was decided.
    pub fn issue(&self, subject: &str, access: Option<Vec<AccessEntry>>, mut projects: Vec<ProjectId>) -> Result<Issued> {
        projects.sort_unstable();
        projects.dedup();
        let lifetime = self.settings.get().token_lifetime;
        // Unambiguous: a length before the part that callers choose.
        let asked = serde_json::to_string(&(&access, &projects)).map_err(Error::internal)?;
        let key = format!("{lifetime}:{}:{subject}:{asked}", subject.len());
        if key.len() > MAX_ASKED {
            return Err(Error::bad_request("too many scopes for one token"));
        }
        if let Some((_, issued)) = self.issued.get(&key) {
            return Ok(issued);
        }
        let now = self.clock.micros() / 1_000_000;
        let mut id = [0; 12];
        self.ids.fill(&mut id);
        let claims = Claims {
            iss: ISSUER.into(),
            sub: subject.into(),
            aud: SERVICE.into(),
            exp: now.saturating_add(lifetime),
            nbf: now,
            iat: now,
            jti: BASE64_URL_SAFE_NO_PAD.encode(id),
            access,
            projects,
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.encoding).map_err(Error::internal)?;
        let issued = Issued { token: token.into(), issued_at: now, expires_in: lifetime };
        if key.len() <= MAX_REMEMBERED {
            self.issued.insert(key, (Instant::now(), issued.clone()));
        }
        Ok(issued)
    }

    /// Who bears this token and what it grants; `None` when it is not ours, not valid yet or not any more. Only our key and algorithm count, whatever
    /// the token's header says.
    pub fn verify(&self, token: &str) -> Option<Arc<TokenActor>> {
        let now = self.clock.micros() / 1_000_000;
        if let Some(actor) = self.verified.get(token) {
            return (now < actor.expires_at + LEEWAY as i64).then_some(actor);
        }
        if token.len() > 16 * 1024 {
            return None;
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        let actor = Arc::new(TokenActor {
            subject: claims.sub,
            expires_at: claims.exp,
            projects: claims.projects,
            access: claims.access.iter().flatten().filter_map(AccessEntry::to_access).collect(),
        });
        if token.len() <= MAX_REMEMBERED {
            self.verified.insert(token.into(), actor.clone());
        }
        Some(actor)
    }
}

/// The key's id as libtrust forms it: 30 bytes of SHA-256 over the public key in base32, twelve groups of four.
fn key_id(spki: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, spki);
    let mut id = String::with_capacity(59);
    for (i, block) in digest.as_ref()[..30].chunks(5).enumerate() {
        let bits = block.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        for j in 0..8 {
            if (i * 8 + j) % 4 == 0 && i + j > 0 {
                id.push(':');
            }
            id.push(ALPHABET[(bits >> (35 - 5 * j) & 31) as usize] as char);
        }
    }
    id
}
