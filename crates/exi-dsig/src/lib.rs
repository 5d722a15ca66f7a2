//! XML signatures (`http://www.w3.org/2000/09/xmldsig#`) as the charging protocols use them.
//!
//! Types only, from the W3C recommendation "XML Signature Syntax and Processing". This crate neither creates
//! nor checks signatures. Content of other schemas (`xs:any`) has a code in the grammar and is refused; no
//! charging protocol uses it.
//!
//! ```
//! use exi_dsig::{CanonicalizationMethod, SCHEMA};
//!
//! // `SignedInfo` is encoded as a fragment when it is signed; a tool finds out what a fragment is.
//! let json = SCHEMA.decode(&[0x80, 0x05, 0x81, 0xa5, 0x5c, 0x80], true);
//! assert!(json.is_err());
//! let method = CanonicalizationMethod {
//!     algorithm: exi::Attribute("http://www.w3.org/TR/canonical-exi/".into()),
//!     any: None,
//! };
//! assert!(method.algorithm.0 == "http://www.w3.org/TR/canonical-exi/");
//! ```
#![no_std]
#![forbid(unsafe_code)]

pub use exi::{Attribute, Error, List, Text};
use exi::{Base64Binary, Integer, Root, Wildcard, choice, element, group};

/// The root of a signed `SignedInfo` fragment in the schema of XML signatures alone.
pub const SIGNED_INFO: Root = Root { name: "SignedInfo", code: 32, bits: 6, end: Some(46) };

/// A number as bytes, most significant first.
pub type CryptoBinary<'a> = Base64Binary<'a>;

element! {
    /// A signature over elements of a message.
    pub struct Signature<'a> {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The signed elements and the algorithms.
        pub signed_info: SignedInfo<'a> = "SignedInfo",
        /// The signature.
        pub signature_value: SignatureValue<'a> = "SignatureValue",
        /// The key; not used by the charging protocols.
        pub key_info: Option<KeyInfo<'a>> = "KeyInfo",
        /// Further data; not used by the charging protocols.
        pub object: List<'a, Object<'a>, 0> = "Object",
    }

    /// The signature's bytes.
    pub struct SignatureValue<'a> {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The bytes.
        pub value: Attribute<Base64Binary<'a>> = "$",
    }

    /// The signed elements and the algorithms.
    pub struct SignedInfo<'a> {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// Canonicalization: how elements become bytes.
        pub canonicalization_method: CanonicalizationMethod<'a> = "CanonicalizationMethod",
        /// The signature's algorithm.
        pub signature_method: SignatureMethod<'a> = "SignatureMethod",
        /// The signed elements.
        pub reference: List<'a, Reference<'a>> = "Reference",
    }

    /// Canonicalization: how elements become bytes.
    pub struct CanonicalizationMethod<'a> [mixed] {
        /// URI of the algorithm.
        pub algorithm: Attribute<Text<'a>> = "@Algorithm",
        /// Content of other schemas: refused.
        pub any: Option<Wildcard> = "",
    }

    /// The signature's algorithm.
    pub struct SignatureMethod<'a> [mixed] {
        /// URI of the algorithm.
        pub algorithm: Attribute<Text<'a>> = "@Algorithm",
        /// Length of an HMAC in bits.
        pub hmac_output_length: Option<Integer<'a>> = "HMACOutputLength",
        /// Content of other schemas: refused.
        pub any: Option<Wildcard> = "",
    }

    /// A signed element and its digest.
    pub struct Reference<'a> {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// Type of the signed element.
        pub r#type: Option<Attribute<Text<'a>>> = "@Type",
        /// `#` and the `Id` of the signed element.
        pub uri: Option<Attribute<Text<'a>>> = "@URI",
        /// Transforms of the element before the digest.
        pub transforms: Option<Transforms<'a>> = "Transforms",
        /// The digest's algorithm.
        pub digest_method: DigestMethod<'a> = "DigestMethod",
        /// The digest.
        pub digest_value: Base64Binary<'a> = "DigestValue",
    }

    /// Transforms of an element before its digest.
    pub struct Transforms<'a> {
        /// Applied in this order.
        pub transform: List<'a, Transform<'a>> = "Transform",
    }

    /// One step before the digest.
    pub struct Transform<'a> [mixed] {
        /// URI of the algorithm.
        pub algorithm: Attribute<Text<'a>> = "@Algorithm",
        /// Its arguments.
        pub arguments: List<'a, TransformArgument<'a>, 0> = "",
    }

    /// The digest's algorithm.
    pub struct DigestMethod<'a> [mixed] {
        /// URI of the algorithm.
        pub algorithm: Attribute<Text<'a>> = "@Algorithm",
        /// Content of other schemas: refused.
        pub any: Option<Wildcard> = "",
    }

    /// The key of a signature.
    pub struct KeyInfo<'a> [mixed] {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// Ways to find the key.
        pub items: List<'a, KeyInfoItem<'a>> = "",
    }

    /// A public key.
    pub struct KeyValue<'a> [mixed] {
        /// Its kind.
        pub key: PublicKey<'a> = "",
    }

    /// A DSA key.
    pub struct DsaKeyValue<'a> {
        /// The primes.
        pub pq: Option<DsaPrimes<'a>> = "",
        /// The generator.
        pub g: Option<CryptoBinary<'a>> = "G",
        /// The public value.
        pub y: CryptoBinary<'a> = "Y",
        /// `(P - 1) / Q`.
        pub j: Option<CryptoBinary<'a>> = "J",
        /// Parameters from which the primes were generated.
        pub origin: Option<DsaOrigin<'a>> = "",
    }

    /// An RSA key.
    pub struct RsaKeyValue<'a> {
        /// The modulus.
        pub modulus: CryptoBinary<'a> = "Modulus",
        /// The exponent.
        pub exponent: CryptoBinary<'a> = "Exponent",
    }

    /// Where the key can be retrieved.
    pub struct RetrievalMethod<'a> {
        /// Type of the retrieved data.
        pub r#type: Option<Attribute<Text<'a>>> = "@Type",
        /// URI of the data.
        pub uri: Option<Attribute<Text<'a>>> = "@URI",
        /// Transforms of the retrieved data.
        pub transforms: Option<Transforms<'a>> = "Transforms",
    }

    /// Certificates and their names.
    pub struct X509Data<'a> {
        /// In any order.
        pub items: List<'a, X509Item<'a>> = "",
    }

    /// The name of a certificate.
    pub struct X509IssuerSerial<'a> {
        /// The issuer's distinguished name.
        pub x509_issuer_name: Text<'a> = "X509IssuerName",
        /// The serial number.
        pub x509_serial_number: Integer<'a> = "X509SerialNumber",
    }

    /// A PGP key: the key id, the key packet, or both.
    pub struct PgpData<'a> [first 2] {
        /// The key id.
        pub key_id: Option<Base64Binary<'a>> = "PGPKeyID",
        /// The key packet.
        pub key_packet: Option<Base64Binary<'a>> = "PGPKeyPacket",
        /// Content of other schemas: refused.
        pub any: Option<Wildcard> = "",
    }

    /// A SPKI key.
    pub struct SpkiData<'a> {
        /// S-expressions.
        pub sexp: List<'a, Base64Binary<'a>> = "SPKISexp",
        /// Content of other schemas: refused.
        pub any: Option<Wildcard> = "",
    }

    /// Further data of a signature.
    pub struct Object<'a> [mixed] {
        /// Encoding of the content.
        pub encoding: Option<Attribute<Text<'a>>> = "@Encoding",
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// Type of the content.
        pub mime_type: Option<Attribute<Text<'a>>> = "@MimeType",
        /// Content of other schemas: refused.
        pub any: Option<Wildcard> = "",
    }

    /// A list of references that the application checks.
    pub struct Manifest<'a> {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The references.
        pub reference: List<'a, Reference<'a>> = "Reference",
    }

    /// Statements about a signature.
    pub struct SignatureProperties<'a> {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The statements.
        pub signature_property: List<'a, SignatureProperty<'a>> = "SignatureProperty",
    }

    /// A statement about a signature: content of other schemas only.
    pub struct SignatureProperty<'a> [mixed] {
        /// Name of this element for references.
        pub id: Option<Attribute<Text<'a>>> = "@Id",
        /// The signature to which it applies.
        pub target: Attribute<Text<'a>> = "@Target",
        /// Never read; at least one is required, so this element cannot be used.
        pub any: Wildcard = "",
    }
}

group! {
    /// The primes of a DSA key.
    pub struct DsaPrimes<'a> {
        /// The modulus.
        pub p: CryptoBinary<'a> = "P",
        /// The divisor of `P - 1`.
        pub q: CryptoBinary<'a> = "Q",
    }

    /// Parameters from which the primes of a DSA key were generated.
    pub struct DsaOrigin<'a> {
        /// The seed.
        pub seed: CryptoBinary<'a> = "Seed",
        /// The counter.
        pub pgen_counter: CryptoBinary<'a> = "PgenCounter",
    }
}

choice! {
    /// An argument of a transform.
    pub enum TransformArgument<'a> {
        /// An XPath expression.
        XPath(Text<'a>) = "XPath",
        /// Content of other schemas: refused.
        Any(Wildcard) = "",
    }

    /// A way to find a key.
    pub enum KeyInfoItem<'a> {
        /// Its name.
        KeyName(Text<'a>) = "KeyName",
        /// The key itself.
        KeyValue(KeyValue<'a>) = "KeyValue",
        /// Where it can be retrieved.
        RetrievalMethod(RetrievalMethod<'a>) = "RetrievalMethod",
        /// Certificates.
        X509Data(X509Data<'a>) = "X509Data",
        /// A PGP key.
        PgpData(PgpData<'a>) = "PGPData",
        /// A SPKI key.
        SpkiData(SpkiData<'a>) = "SPKIData",
        /// Data for a key agreement.
        MgmtData(Text<'a>) = "MgmtData",
        /// Content of other schemas: refused.
        Any(Wildcard) = "",
    }

    /// The kinds of public keys.
    pub enum PublicKey<'a> {
        /// DSA.
        Dsa(DsaKeyValue<'a>) = "DSAKeyValue",
        /// RSA.
        Rsa(RsaKeyValue<'a>) = "RSAKeyValue",
        /// Content of other schemas: refused.
        Any(Wildcard) = "",
    }

    /// A certificate or its name.
    pub enum X509Item<'a> {
        /// Issuer and serial number.
        IssuerSerial(X509IssuerSerial<'a>) = "X509IssuerSerial",
        /// Subject key identifier.
        Ski(Base64Binary<'a>) = "X509SKI",
        /// Subject's distinguished name.
        SubjectName(Text<'a>) = "X509SubjectName",
        /// The certificate.
        Certificate(Base64Binary<'a>) = "X509Certificate",
        /// A revocation list.
        Crl(Base64Binary<'a>) = "X509CRL",
        /// Content of other schemas: refused.
        Any(Wildcard) = "",
    }
}

exi::schema! {
    /// The elements of XML signatures alone, for tools. `SignedInfo` is signed in this set.
    pub static SCHEMA: { document: 5, fragment: 6 }
    global "CanonicalizationMethod": CanonicalizationMethod<'_>,
    global "DSAKeyValue": DsaKeyValue<'_>,
    global "DigestMethod": DigestMethod<'_>,
    global "DigestValue": Base64Binary<'_>,
    local "Exponent": CryptoBinary<'_>,
    local "G": CryptoBinary<'_>,
    local "HMACOutputLength": Integer<'_>,
    local "J": CryptoBinary<'_>,
    global "KeyInfo": KeyInfo<'_>,
    global "KeyName": Text<'_>,
    global "KeyValue": KeyValue<'_>,
    global "Manifest": Manifest<'_>,
    global "MgmtData": Text<'_>,
    local "Modulus": CryptoBinary<'_>,
    global "Object": Object<'_>,
    local "P": CryptoBinary<'_>,
    global "PGPData": PgpData<'_>,
    local "PGPKeyID": Base64Binary<'_>,
    local "PGPKeyPacket": Base64Binary<'_>,
    local "PgenCounter": CryptoBinary<'_>,
    local "Q": CryptoBinary<'_>,
    global "RSAKeyValue": RsaKeyValue<'_>,
    global "Reference": Reference<'_>,
    global "RetrievalMethod": RetrievalMethod<'_>,
    global "SPKIData": SpkiData<'_>,
    local "SPKISexp": Base64Binary<'_>,
    local "Seed": CryptoBinary<'_>,
    global "Signature": Signature<'_>,
    global "SignatureMethod": SignatureMethod<'_>,
    global "SignatureProperties": SignatureProperties<'_>,
    global "SignatureProperty": SignatureProperty<'_>,
    global "SignatureValue": SignatureValue<'_>,
    global "SignedInfo": SignedInfo<'_>,
    global "Transform": Transform<'_>,
    global "Transforms": Transforms<'_>,
    local "X509CRL": Base64Binary<'_>,
    local "X509Certificate": Base64Binary<'_>,
    global "X509Data": X509Data<'_>,
    local "X509IssuerName": Text<'_>,
    local "X509IssuerSerial": X509IssuerSerial<'_>,
    local "X509SKI": Base64Binary<'_>,
    local "X509SerialNumber": Integer<'_>,
    local "X509SubjectName": Text<'_>,
    local "XPath": Text<'_>,
    local "Y": CryptoBinary<'_>,
}
