/* BSON documents to DynamoDB items, as `Encoder` and the mapping's templates make them, byte for byte, or declined.

   One function, no state, nothing allocated, no Python in it. `program.py` lays out the program: plain
   little records that name each other by their place, so nothing of it is parsed here. It is trusted; documents are
   not: every read of one is held against its end first.

   What it declines is not wrong but not sure. The caller decodes such a document, which says what it is.
   docs/decisions/0007-compiled-cores.md has what is declined and what proves the rest.

   Source: https://bsonspec.org/spec.html
*/

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "doubles must be doubles"
#endif
#ifndef GREYLAG_SOURCE
#define GREYLAG_SOURCE ""
#endif

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* DynamoDB's limits; limits.py has their sources. */
enum {
    DEEPEST_CONTAINER = 31,
    NAME_BYTES = 65535,
    NUMBER_DIGITS = 38,
    SMALLEST_EXPONENT = -130,
    LARGEST_EXPONENT = 125,
    CONTAINER_BYTES = 3,
};

/* Ours: what has more of it is declined. */
enum {
    MOST_NAMES = 8192, /* on one path from the item down */
    MOST_HINTS = 4096,
    MOST_KINDS_OF_HINT = 64, /* in one list */
    MOST_POINTER_BYTES = 16000,
    MOST_SLOTS = 64,
    TEXT_BYTES = 16384, /* of what one template makes */
};

enum {
    DOUBLE = 0x01, STRING = 0x02, DOCUMENT = 0x03, ARRAY = 0x04, BINARY = 0x05, OBJECT_ID = 0x07, BOOL = 0x08,
    DATE = 0x09, NULL_ = 0x0A, INT32 = 0x10, INT64 = 0x12, DECIMAL128 = 0x13,
};

/* Rules of `types`; R_OTHER is one that no value here is read by, R_TAGGED one of those a document may stand for. */
enum {
    R_NONE, R_STRING, R_OBJECT_ID, R_DATE, R_DATE_S, R_DATE_MS, R_INT, R_INT64, R_DOUBLE, R_DECIMAL, R_DECIMAL128,
    R_BINARY, R_UUID, R_TAGGED, R_OTHER,
};

/* The program. A place of 0 is none. */
typedef struct { u32 place, size; } Text;
typedef struct { u32 type, each, fields, count; } Rule;
typedef struct { u64 hash; Text name; u32 rule, unused; } Field;
typedef struct { u64 hash; Text name, head, pointer; u32 counted, rule, slot, dropped; } Top; /* slot 0: not read */
typedef struct { Text literal; u32 slot, steps, count, unused; } Part;                        /* slot 0: a literal */
typedef struct { Text head; u32 counted, parts, count, keyed, required, lone; } Own;
typedef struct { u32 own, kind, most_bytes, in_key; } Key;
typedef struct {
    u32 tops, top_count, owns, own_count, keys, key_count, taken, taken_count, slots, most_bytes;
    Text constants;
    u32 constants_counted, unused;
} Program;

typedef struct { u8 *at, *end; } Out;
typedef struct { const u8 *text; u32 size; } Step;
typedef struct { Step steps[DEEPEST_CONTAINER + 1]; u32 count, code_size; u32 group; char code[12]; } Hint;
typedef struct { u32 kind, at, end; } Slot;
typedef struct { char kind; u32 size, counted; u8 text[TEXT_BYTES]; } Made;

typedef struct {
    const u8 *program, *document;
    u32 size; /* counted so far */
    Out out;
    u32 hints, names;
    Slot slots[MOST_SLOTS];
    u64 hashes[MOST_NAMES];
    Hint hint[MOST_HINTS];
    Made made;
} Work;

#define AT(work, type, place) ((const type *)(const void *)((work)->program + (place)))

static u32 le32(const u8 *p) { return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24; }
static u64 le64(const u8 *p) { return (u64)le32(p) | (u64)le32(p + 4) << 32; }

static u64 hash_of(const u8 *p, u32 size)
{
    u64 hash = 0xcbf29ce484222325u;
    for (u32 i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

/* Writing. Each gives whether it could. */

static int put(Out *out, const void *from, size_t size)
{
    if ((size_t)(out->end - out->at) < size)
        return 0;
    memcpy(out->at, from, size);
    out->at += size;
    return 1;
}

#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

static const char HEX[] = "0123456789abcdef";

/* The bytes of the UTF-8 character at `p`, of which `left` are there; 0 for none. */
static u32 character(const u8 *p, u32 left)
{
    u8 first = p[0];
    if (first < 0xC2)
        return 0;
    if (first < 0xE0)
        return left > 1 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (first < 0xF0) {
        if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        if ((first == 0xE0 && p[1] < 0xA0) || (first == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (first > 0xF4 || left < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
        return 0;
    if ((first == 0xF0 && p[1] < 0x90) || (first == 0xF4 && p[1] > 0x8F))
        return 0;
    return 4;
}

/* Text as it stands between the quotes of JSON. Declines what is not UTF-8. */
static int put_text(Out *out, const u8 *p, u32 size)
{
    if ((u64)(out->end - out->at) < (u64)size * 6 + 8)
        return 0;
    u8 *to = out->at;
    const u8 *end = p + size;
    while (p < end) {
        while (end - p >= 8) {
            u64 word;
            memcpy(&word, p, 8);
            u64 quotes = word ^ 0x2222222222222222u, backslashes = word ^ 0x5c5c5c5c5c5c5c5cu;
            u64 odd = (word - 0x2020202020202020u) | (quotes - 0x0101010101010101u)
                      | (backslashes - 0x0101010101010101u) | word;
            if (odd & 0x8080808080808080u) /* perhaps one that JSON escapes, or not ASCII */
                break;
            memcpy(to, p, 8);
            p += 8;
            to += 8;
        }
        for (u32 i = 0; i < 8 && p < end; i++) {
            u8 c = *p;
            if (c >= 0x80) {
                u32 bytes = character(p, (u32)(end - p));
                if (!bytes)
                    return 0;
                for (u32 each = 0; each < bytes; each++)
                    *to++ = *p++;
                continue;
            }
            p++;
            if (c >= 0x20 && c != '"' && c != '\\') {
                *to++ = c;
                continue;
            }
            *to++ = '\\';
            switch (c) {
            case '"': case '\\': *to++ = c; break;
            case '\b': *to++ = 'b'; break;
            case '\f': *to++ = 'f'; break;
            case '\n': *to++ = 'n'; break;
            case '\r': *to++ = 'r'; break;
            case '\t': *to++ = 't'; break;
            default:
                memcpy(to, "u00", 3);
                to[3] = (u8)HEX[c >> 4];
                to[4] = (u8)HEX[c & 15];
                to += 5;
            }
        }
    }
    out->at = to;
    return 1;
}

/* Numbers. `text` holds what an N says, `counted` the bytes DynamoDB counts for it. */

typedef struct { char digits[24]; int count, exponent, negative; } Digits; /* digits * 10^exponent, none at the ends 0 */
typedef struct { char text[176]; int size, counted, places; } Number;

static void digits_of(u64 value, Digits *found)
{
    char reversed[24];
    int count = 0, zeros = 0;
    while (value && value % 10 == 0)
        value /= 10, zeros++;
    for (; value; value /= 10)
        reversed[count++] = (char)('0' + value % 10);
    for (int i = 0; i < count; i++)
        found->digits[i] = reversed[count - 1 - i];
    found->count = count;
    found->exponent = zeros;
}

/* As numbers.decimal_text. Declines what is out of DynamoDB's range. */
static int plain(const Digits *from, Number *to)
{
    int count = from->count, exponent = from->exponent;
    char *p = to->text;
    to->places = 0;
    if (!count) {
        if (from->negative)
            return 0;
        to->text[0] = '0';
        to->size = to->counted = 1;
        return 1;
    }
    if (exponent + count - 1 < SMALLEST_EXPONENT || exponent + count - 1 > LARGEST_EXPONENT)
        return 0;
    if (from->negative)
        *p++ = '-';
    if (exponent >= 0) {
        memcpy(p, from->digits, (size_t)count);
        memset(p + count, '0', (size_t)exponent);
        p += count + exponent;
    } else {
        to->places = -exponent;
        int whole = count + exponent;
        if (whole > 0) {
            memcpy(p, from->digits, (size_t)whole);
            p[whole] = '.';
            memcpy(p + whole + 1, from->digits + whole, (size_t)-exponent);
            p += count + 1;
        } else {
            *p++ = '0';
            *p++ = '.';
            memset(p, '0', (size_t)-whole);
            memcpy(p - whole, from->digits, (size_t)count);
            p += count - whole;
        }
    }
    to->size = (int)(p - to->text);
    to->counted = (count + (exponent & 1) + 1) / 2 + 1 + from->negative;
    return 1;
}

static int whole_number(int64_t value, Number *to)
{
    Digits found;
    found.negative = value < 0;
    digits_of(value < 0 ? 0 - (u64)value : (u64)value, &found);
    return plain(&found, to);
}

static const double TENS[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* The shortest digits that read back as `value`, and of those the nearest. Declines what is not sure. */
static int shortest(double value, Digits *to)
{
    u64 bits;
    memcpy(&bits, &value, 8);
    int biased = (int)(bits >> 52 & 0x7FF);
    if (biased == 0x7FF || bits == (u64)1 << 63)
        return 0;
    to->negative = (int)(bits >> 63);
    if (!value) {
        to->count = to->exponent = 0;
        return 1;
    }
    double size = fabs(value);
    /* Up to 15 digits no two decimals are one double, and a whole number below 2^53 divided by a power of ten that is
       exact too is rounded once: the first that gives the value back is the shortest. */
    if (size < 1e15) {
        for (int places = 0; places <= 15; places++) {
            double scaled = size * TENS[places];
            if (scaled >= 1e15)
                break;
            double whole = floor(scaled + 0.5);
            if (whole >= 1 && whole < 1e15 && whole / TENS[places] == size) {
                digits_of((u64)whole, to);
                to->exponent -= places;
                return 1;
            }
        }
    }
    if (!(bits & 0xFFFFFFFFFFFFFu) || !biased)
        return 0; /* below a power of two doubles are closer than above it; and subnormals */
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        int written = snprintf(text, sizeof text, "%.*e", digits - 1, size);
        if (written < digits + 5 || written >= (int)sizeof text || text[1] != '.' || text[digits + 1] != 'e')
            return 0; /* a locale with another point */
        if (digits < 17 && strtod(text, NULL) != size)
            continue;
        int exponent = (int)strtol(text + digits + 2, NULL, 10);
        to->digits[0] = text[0];
        memcpy(to->digits + 1, text + 2, (size_t)digits - 1);
        int count = digits;
        while (count > 1 && to->digits[count - 1] == '0')
            count--;
        to->count = count;
        to->exponent = exponent - count + 1;
        return 1;
    }
    return 0;
}

/* As Python's repr writes it. */
static int repr(double value, char *to, u32 *size)
{
    Digits found;
    if (!shortest(value, &found))
        return 0;
    char *p = to;
    int point = found.count + found.exponent;
    if (found.negative)
        *p++ = '-';
    if (!found.count) {
        memcpy(p, "0.0", 3);
        *size = (u32)(p + 3 - to);
        return 1;
    }
    if (point <= -4 || point > 16)
        return 0; /* written with an exponent */
    if (point <= 0) {
        memcpy(p, "0.", 2);
        memset(p + 2, '0', (size_t)-point);
        memcpy(p + 2 - point, found.digits, (size_t)found.count);
        p += 2 - point + found.count;
    } else if (found.count > point) {
        memcpy(p, found.digits, (size_t)point);
        p[point] = '.';
        memcpy(p + point + 1, found.digits + point, (size_t)(found.count - point));
        p += found.count + 1;
    } else {
        memcpy(p, found.digits, (size_t)found.count);
        memset(p + found.count, '0', (size_t)found.exponent);
        memcpy(p + point, ".0", 2);
        p += point + 2;
    }
    *size = (u32)(p - to);
    return 1;
}

/* The digits of a Decimal128 of up to 64 bits, and the exponent it was written with. Declines the others. */
static int decimal(const u8 *p, Digits *to, int *written)
{
    u64 low = le64(p), high = le64(p + 8);
    if ((high >> 61 & 3) == 3 || high & 0x1FFFFFFFFFFFFu)
        return 0;
    *written = (int)(high >> 49 & 0x3FFF) - 6176;
    if (*written > 6111)
        return 0;
    to->negative = (int)(high >> 63);
    digits_of(low, to);
    to->exponent += *written;
    return 1;
}

/* Dates: "2024-01-31T10:00:00.000Z". Declines what is not in the years 1 to 9999. */

static void digits(char *p, u32 value, int count)
{
    while (count--) {
        p[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

static int date_text(int64_t milliseconds, char *p)
{
    if (milliseconds < -62135596800000 || milliseconds > 253402300799999)
        return 0;
    u64 since = (u64)(milliseconds + 62135596800000); /* of 0001-01-01 */
    u32 days = (u32)(since / 86400000), rest = (u32)(since % 86400000);
    /* Days since 0000-03-01 by eras of 400 years. Source: https://howardhinnant.github.io/date_algorithms.html */
    u32 shifted = days + 306, era = shifted / 146097, day = shifted % 146097;
    u32 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    u32 of_year = day - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    digits(p + 8, of_year - (153 * month + 2) / 5 + 1, 2);
    digits(p + 5, month < 10 ? month + 3 : month - 9, 2);
    digits(p, year + era * 400 + (month >= 10), 4);
    digits(p + 11, rest / 3600000, 2);
    digits(p + 14, rest / 60000 % 60, 2);
    digits(p + 17, rest / 1000 % 60, 2);
    digits(p + 20, rest % 1000, 3);
    p[4] = p[7] = '-';
    p[10] = 'T';
    p[13] = p[16] = ':';
    p[19] = '.';
    p[23] = 'Z';
    return 1;
}

static void hex(const u8 *from, int count, char *to)
{
    for (int i = 0; i < count; i++) {
        to[2 * i] = HEX[from[i] >> 4];
        to[2 * i + 1] = HEX[from[i] & 15];
    }
}

/* Hints, as hints.py has them: a value's is put down where it stands, without a path; each container puts its step
   before those of its members. Steps are kept innermost first, as bare text. */

static int hint(Work *work, const char *code, int size)
{
    if (work->hints == MOST_HINTS)
        return 0;
    Hint *one = &work->hint[work->hints++];
    one->count = 0;
    one->code_size = (u32)size;
    memcpy(one->code, code, (size_t)size);
    return 1;
}

static int hint_number(Work *work, char letter, int number)
{
    char code[12];
    int size = snprintf(code, sizeof code, "%c%d", letter, number);
    return hint(work, code, size);
}

static void prefix(Work *work, u32 first, const u8 *text, u32 size)
{
    for (u32 each = first; each < work->hints; each++) {
        Hint *one = &work->hint[each];
        one->steps[one->count].text = text;
        one->steps[one->count++].size = size;
    }
}

static int same_hint(const Hint *one, const Hint *other, u32 steps)
{
    if (one->count < steps || one->code_size != other->code_size || memcmp(one->code, other->code, one->code_size))
        return 0;
    for (u32 i = 0; i < steps; i++)
        if (one->steps[i].size != other->steps[i].size
            || memcmp(one->steps[i].text, other->steps[i].text, one->steps[i].size))
            return 0;
    return 1;
}

/* As hints.collapse: those from `first` on already have their element's place as their last step. */
static int collapse(Work *work, u32 first, u32 elements)
{
    u32 kinds[MOST_KINDS_OF_HINT], counts[MOST_KINDS_OF_HINT], groups = 0, kept = first;
    if (elements == 1)
        return 1;
    for (u32 each = first; each < work->hints; each++) {
        Hint *one = &work->hint[each];
        u32 group = 0;
        while (group < groups
               && !(work->hint[kinds[group]].count == one->count
                    && same_hint(&work->hint[kinds[group]], one, one->count - 1)))
            group++;
        if (group == groups) {
            if (groups == MOST_KINDS_OF_HINT)
                return 0;
            kinds[groups] = each;
            counts[groups++] = 0;
        }
        counts[group]++;
        one->group = group;
    }
    for (u32 each = first; each < work->hints; each++) {
        Hint *one = &work->hint[each];
        u32 group = one->group;
        if (counts[group] == elements) { /* said once, where it stands first */
            if (kinds[group] != each)
                continue;
            one->steps[one->count - 1].text = (const u8 *)"*";
            one->steps[one->count - 1].size = 1;
        }
        if (kept != each)
            work->hint[kept] = *one;
        kept++;
    }
    work->hints = kept;
    return 1;
}

/* The reserved attribute, with the comma before it. */
static int put_hints(Work *work)
{
    u32 size = 8 + CONTAINER_BYTES + 1 + 5 + CONTAINER_BYTES;
    if (!PUT(&work->out, ",\"_greylag\":{\"M\":{\"types\":{\"M\":{"))
        return 0;
    for (u32 each = 0; each < work->hints; each++) {
        const Hint *one = &work->hint[each];
        u32 pointer = 0;
        if (each && !PUT(&work->out, ","))
            return 0;
        if (!PUT(&work->out, "\""))
            return 0;
        for (u32 step = one->count; step--;) {
            const u8 *text = one->steps[step].text;
            u32 left = one->steps[step].size;
            pointer += 1 + left;
            if (!PUT(&work->out, "/"))
                return 0;
            for (u32 i = 0; i < left; i++)
                if (text[i] == '~' || text[i] == '/') {
                    if (!put_text(&work->out, text, i) || !(text[i] == '~' ? PUT(&work->out, "~0") : PUT(&work->out, "~1")))
                        return 0;
                    pointer++;
                    text += i + 1;
                    left -= i + 1;
                    i = (u32)-1;
                }
            if (!put_text(&work->out, text, left))
                return 0;
        }
        if (pointer > MOST_POINTER_BYTES)
            return 0;
        if (!PUT(&work->out, "\":{\"S\":\"") || !put(&work->out, one->code, one->code_size) || !PUT(&work->out, "\"}"))
            return 0;
        size += 1 + pointer + one->code_size;
    }
    work->size += size;
    return PUT(&work->out, "}}}}");
}

/* Values. */

static int put_string_value(Work *work, const char *text, u32 size)
{
    work->size += size;
    return PUT(&work->out, "{\"S\":\"") && put(&work->out, text, size) && PUT(&work->out, "\"}");
}

static int put_number(Work *work, const Number *number)
{
    work->size += (u32)number->counted;
    return PUT(&work->out, "{\"N\":\"") && put(&work->out, number->text, (size_t)number->size) && PUT(&work->out, "\"}");
}

static int is_int32(int64_t value) { return value >= INT32_MIN && value <= INT32_MAX; }

static int put_double(Work *work, double value, u32 rule)
{
    Digits found;
    Number number;
    if (!shortest(value, &found) || !plain(&found, &number) || !put_number(work, &number))
        return 0;
    if (rule == R_DOUBLE)
        return 1;
    if (rule == R_DECIMAL || rule == R_DECIMAL128)
        return hint(work, "d", 1);
    if (number.places)
        return 1;
    double size = fabs(value);
    if (size >= 9.2e18 && size < 9.3e18)
        return 0; /* its shortest text may lie beyond what an int64 holds */
    return size < 9.2e18 ? hint(work, "d", 1) : 1;
}

static int put_integer(Work *work, int64_t value, u32 rule, int wide)
{
    Number number;
    const char *code = wide ? "l" : "i";
    if (!whole_number(value, &number) || !put_number(work, &number))
        return 0;
    switch (rule) {
    case R_INT64: return wide ? 1 : hint(work, code, 1);
    case R_DOUBLE: case R_DATE_S:
        if (value > 9007199254740992 || value < -9007199254740992)
            return 0;
        return hint(work, code, 1);
    case R_DECIMAL: case R_DECIMAL128: case R_DATE_MS: return hint(work, code, 1);
    default: return wide && is_int32(value) ? hint(work, code, 1) : 1;
    }
}

static int put_decimal(Work *work, const u8 *at, u32 rule)
{
    Digits found;
    Number number;
    int written;
    if (!decimal(at, &found, &written) || !plain(&found, &number) || !put_number(work, &number))
        return 0;
    if (rule == R_DECIMAL128) {
        if (number.places ? number.places > 34 + found.count : number.size > 34)
            return 0;
        return written == -number.places ? 1 : hint_number(work, 'N', written);
    }
    if (found.count > 15)
        return 0; /* whether a double has these digits */
    return hint_number(work, 'N', written);
}

static int put_date(Work *work, int64_t milliseconds, u32 rule)
{
    char text[24];
    Number number;
    if (!date_text(milliseconds, text))
        return 0;
    if (rule == R_DATE_MS)
        return whole_number(milliseconds, &number) && put_number(work, &number);
    if (rule == R_DATE_S) {
        int64_t rest = milliseconds % 1000;
        if (rest < 0)
            rest += 1000;
        if (!whole_number((milliseconds - rest) / 1000, &number) || !put_number(work, &number))
            return 0;
        return rest ? hint_number(work, 'T', (int)rest) : 1;
    }
    return put_string_value(work, text, 24) && (rule == R_DATE ? 1 : hint(work, "t", 1));
}

static int put_object_id(Work *work, const u8 *at, u32 rule)
{
    char text[24];
    hex(at, 12, text);
    return put_string_value(work, text, 24) && (rule == R_OBJECT_ID ? 1 : hint(work, "o", 1));
}

static int looks_like_object_id(const u8 *p, u32 size)
{
    if (size != 24)
        return 0;
    for (u32 i = 0; i < 24; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
            return 0;
    return 1;
}

static int put_string(Work *work, const u8 *p, u32 size, u32 rule)
{
    work->size += size;
    if (!PUT(&work->out, "{\"S\":\"") || !put_text(&work->out, p, size) || !PUT(&work->out, "\"}"))
        return 0;
    if (rule == R_OBJECT_ID && looks_like_object_id(p, size))
        return hint(work, "s", 1);
    return !(rule == R_DATE && size == 24 && p[4] == '-' && p[10] == 'T' && p[23] == 'Z'); /* it may be one */
}

static int put_binary(Work *work, const u8 *p, u32 size, u32 subtype, u32 rule)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    Out *out = &work->out;
    if (!PUT(out, "{\"B\":\"") || (u64)(out->end - out->at) < ((u64)size + 2) / 3 * 4)
        return 0;
    u8 *to = out->at;
    work->size += size;
    for (; size >= 3; p += 3, size -= 3) {
        u32 bits = (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
        *to++ = (u8)letters[bits >> 18];
        *to++ = (u8)letters[bits >> 12 & 63];
        *to++ = (u8)letters[bits >> 6 & 63];
        *to++ = (u8)letters[bits & 63];
    }
    if (size) {
        u32 bits = (u32)p[0] << 16 | (size == 2 ? (u32)p[1] << 8 : 0);
        *to++ = (u8)letters[bits >> 18];
        *to++ = (u8)letters[bits >> 12 & 63];
        *to++ = size == 2 ? (u8)letters[bits >> 6 & 63] : '=';
        *to++ = '=';
    }
    out->at = to;
    u32 taken = rule == R_UUID ? 4 : 0;
    return PUT(out, "\"}") && (taken == subtype ? 1 : hint_number(work, 'b', (int)subtype));
}

/* Where the value at `at` ends, by its own length; 0 where that is not before `limit`. Containers are not looked into. */
static u32 value_end(const u8 *document, u32 kind, u32 at, u32 limit)
{
    u32 left = limit - at, size;
    switch (kind) {
    case NULL_: return at;
    case BOOL: return left >= 1 ? at + 1 : 0;
    case INT32: return left >= 4 ? at + 4 : 0;
    case DOUBLE: case DATE: case INT64: return left >= 8 ? at + 8 : 0;
    case OBJECT_ID: return left >= 12 ? at + 12 : 0;
    case DECIMAL128: return left >= 16 ? at + 16 : 0;
    case STRING:
        if (left < 5)
            return 0;
        size = le32(document + at);
        return size >= 1 && size <= left - 4 && !document[at + 3 + size] ? at + 4 + size : 0;
    case BINARY:
        if (left < 5)
            return 0;
        size = le32(document + at);
        return size <= left - 5 ? at + 5 + size : 0;
    case DOCUMENT: case ARRAY:
        if (left < 5)
            return 0;
        size = le32(document + at);
        return size >= 5 && size <= left && !document[at + size - 1] ? at + size : 0;
    default: return 0;
    }
}

/* Where the name that begins at `at` ends, which is a zero byte before `limit`; 0 for none. */
static u32 name_end(const u8 *document, u32 at, u32 limit)
{
    const u8 *found = at < limit ? memchr(document + at, 0, limit - at) : NULL;
    return found ? (u32)(found - document) : 0;
}

static int new_name(Work *work, u64 hash, u32 since)
{
    for (u32 each = since; each < work->names; each++)
        if (work->hashes[each] == hash)
            return 0; /* it stands twice, or looks like it */
    if (work->names == MOST_NAMES)
        return 0;
    work->hashes[work->names++] = hash;
    return 1;
}

static int members(Work *work, u32 at, u32 end, const Rule *rule, int is_array, int depth);

static int value(Work *work, u32 kind, u32 at, u32 end, const Rule *rule, int depth)
{
    const u8 *p = work->document + at;
    u32 type = rule ? rule->type : R_NONE;
    double real;
    switch (kind) {
    case STRING: return put_string(work, p + 4, end - at - 5, type);
    case DOCUMENT: return type != R_TAGGED && members(work, at, end, rule, 0, depth + 1);
    case ARRAY: return members(work, at, end, rule, 1, depth + 1);
    case BINARY: return p[4] != 2 && put_binary(work, p + 5, end - at - 5, p[4], type);
    case OBJECT_ID: return put_object_id(work, p, type);
    case BOOL:
        work->size++;
        return *p == 0 ? PUT(&work->out, "{\"BOOL\":false}") : *p == 1 && PUT(&work->out, "{\"BOOL\":true}");
    case NULL_:
        work->size++;
        return PUT(&work->out, "{\"NULL\":true}");
    case DATE: return put_date(work, (int64_t)le64(p), type);
    case INT32: return put_integer(work, (int32_t)le32(p), type, 0);
    case INT64: return put_integer(work, (int64_t)le64(p), type, 1);
    case DECIMAL128: return put_decimal(work, p, type);
    case DOUBLE: {
        u64 bits = le64(p);
        memcpy(&real, &bits, 8);
        return put_double(work, real, type);
    }
    default: return 0;
    }
}

static int is_position(const u8 *name, u32 size, u32 position)
{
    char text[12];
    int count = 0;
    do
        text[count++] = (char)('0' + position % 10);
    while (position /= 10);
    if ((u32)count != size)
        return 0;
    while (count--)
        if (name[size - 1 - (u32)count] != (u8)text[count])
            return 0;
    return 1;
}

/* A document or array from `at` to `end`, both of them proven to be within what holds it. */
static int members(Work *work, u32 at, u32 end, const Rule *rule, int is_array, int depth)
{
    const u8 *document = work->document;
    const Field *fields = rule ? AT(work, Field, rule->fields) : NULL;
    u32 field_count = rule && !is_array ? rule->count : 0;
    u32 first_hint = work->hints, first_name = work->names, count = 0, limit = end - 1;
    const Rule *each = rule && is_array && rule->each ? AT(work, Rule, rule->each) : NULL;
    if (depth > DEEPEST_CONTAINER || !(is_array ? PUT(&work->out, "{\"L\":[") : PUT(&work->out, "{\"M\":{")))
        return 0;
    for (at += 4; at < limit; count++) {
        u32 kind = document[at], name = at + 1, stop = name_end(document, name, limit), size = stop - name;
        u32 before = work->hints;
        if (!stop || (count && !PUT(&work->out, ",")))
            return 0;
        const Rule *own = each;
        if (is_array) {
            if (!is_position(document + name, size, count))
                return 0;
        } else {
            u64 hash = hash_of(document + name, size);
            if (!size || size > NAME_BYTES || !new_name(work, hash, first_name))
                return 0;
            for (u32 i = 0; i < field_count; i++)
                if (fields[i].hash == hash && fields[i].name.size == size
                    && !memcmp(work->program + fields[i].name.place, document + name, size)) {
                    own = AT(work, Rule, fields[i].rule);
                    break;
                }
            work->size += size;
            if (!PUT(&work->out, "\"") || !put_text(&work->out, document + name, size) || !PUT(&work->out, "\":"))
                return 0;
        }
        u32 next = value_end(document, kind, stop + 1, limit);
        if (!next || !value(work, kind, stop + 1, next, own, depth))
            return 0;
        prefix(work, before, document + name, size);
        at = next;
    }
    if (at != limit)
        return 0;
    work->names = first_name;
    work->size += CONTAINER_BYTES + count;
    if (is_array && work->hints != first_hint && !collapse(work, first_hint, count))
        return 0;
    return is_array ? PUT(&work->out, "]}") : PUT(&work->out, "}}");
}

static const Top *top_of(const Work *work, const Program *program, u64 hash, const u8 *name, u32 size, u32 *guess)
{
    const Top *tops = AT(work, Top, program->tops);
    for (u32 i = 0; i < program->top_count; i++) {
        u32 place = (*guess + i) % program->top_count;
        const Top *one = &tops[place];
        if (one->hash == hash && one->name.size == size
            && !memcmp(work->program + one->name.place, name, size)) {
            *guess = place + 1; /* documents have their fields in one order, mostly */
            return one;
        }
    }
    return NULL;
}

/* The carried attributes, each with a comma behind it, from `work->out` on. */
static int carried(Work *work, const Program *program, u32 size)
{
    const u8 *document = work->document;
    const u64 *taken = AT(work, u64, program->taken);
    u64 sources[1024];
    u32 limit = size - 1, at = 4, guess = 0, seen = 0, has_id = 0;
    for (u32 i = 0; i < program->taken_count; i++)
        work->hashes[work->names++] = taken[i];
    while (at < limit) {
        u32 kind = document[at], name = at + 1, stop = name_end(document, name, limit), bytes = stop - name;
        if (!stop || !bytes || bytes > NAME_BYTES || seen == 1024)
            return 0;
        u64 hash = hash_of(document + name, bytes);
        for (u32 i = 0; i < seen; i++)
            if (sources[i] == hash)
                return 0;
        sources[seen++] = hash;
        has_id |= bytes == 3 && !memcmp(document + name, "_id", 3);
        const Top *top = program->top_count ? top_of(work, program, hash, document + name, bytes, &guess) : NULL;
        u32 next = value_end(document, kind, stop + 1, limit);
        if (!next)
            return 0;
        if (top && top->slot) {
            Slot *slot = &work->slots[top->slot];
            slot->kind = kind;
            slot->at = stop + 1;
            slot->end = next;
        }
        u8 *begun = work->out.at;
        u32 counted = work->size, hints = work->hints;
        const u8 *pointer = document + name;
        u32 pointer_size = bytes;
        const Rule *rule = top && top->rule ? AT(work, Rule, top->rule) : NULL;
        if (top && !top->dropped) {
            const u8 *own = work->program + top->pointer.place;
            pointer = own;
            pointer_size = top->pointer.size;
            if (!put(&work->out, work->program + top->head.place, top->head.size)
                || !new_name(work, hash_of(own, pointer_size), 0))
                return 0;
            work->size += top->counted;
        } else if (!top) {
            work->size += bytes;
            if (!new_name(work, hash, 0) || !PUT(&work->out, "\"") || !put_text(&work->out, document + name, bytes)
                || !PUT(&work->out, "\":"))
                return 0;
        }
        u32 names = work->names;
        if (!value(work, kind, stop + 1, next, rule, 0) || !PUT(&work->out, ","))
            return 0;
        work->names = names;
        if (top && top->dropped) { /* looked at all the same: a record that is not BSON goes to quarantine as a whole */
            work->out.at = begun;
            work->size = counted;
            work->hints = hints;
        } else
            prefix(work, hints, pointer, pointer_size);
        at = next;
    }
    return at == limit && has_id;
}

/* The value a placeholder names: its kind, 0 where there is none. */
static u32 placed(const Work *work, const Part *part, u32 *at, u32 *end)
{
    const u8 *document = work->document;
    Slot found = work->slots[part->slot];
    const Text *steps = AT(work, Text, part->steps);
    for (u32 i = 0; i < part->count && found.kind; i++) {
        if (found.kind != DOCUMENT)
            return 0;
        u32 limit = found.end - 1, place = found.at + 4;
        found.kind = 0;
        while (place < limit) { /* proven when it was carried */
            u32 name = place + 1, stop = name_end(document, name, limit), next;
            if (!stop || !(next = value_end(document, document[place], stop + 1, limit)))
                return 0;
            if (stop - name == steps[i].size && !memcmp(document + name, work->program + steps[i].place, stop - name)) {
                found.kind = document[place];
                found.at = stop + 1;
                found.end = next;
                break;
            }
            place = next;
        }
    }
    *at = found.at;
    *end = found.end;
    return found.kind;
}

static int add(Made *made, const void *from, u32 size)
{
    if (TEXT_BYTES - made->size < size)
        return 0;
    memcpy(made->text + made->size, from, size);
    made->size += size;
    return 1;
}

enum { DECLINED = -1, UNFILLED = 0, FILLED = 1 };

/* A value in the text of a template, as core/mapping/text.py writes it. */
static int add_text(Work *work, u32 kind, u32 at, u32 end, int keyed)
{
    Made *made = &work->made;
    const u8 *p = work->document + at;
    char text[64];
    Number number;
    u32 size;
    double real;
    u64 bits;
    switch (kind) {
    case STRING:
        if (keyed && end - at == 5)
            return UNFILLED;
        return add(made, p + 4, end - at - 5) ? FILLED : DECLINED;
    case OBJECT_ID:
        hex(p, 12, text);
        return add(made, text, 24) ? FILLED : DECLINED;
    case DATE: return date_text((int64_t)le64(p), text) && add(made, text, 24) ? FILLED : DECLINED;
    case INT32: case INT64:
        if (!whole_number(kind == INT32 ? (int32_t)le32(p) : (int64_t)le64(p), &number))
            return DECLINED;
        return add(made, number.text, (u32)number.size) ? FILLED : DECLINED;
    case DOUBLE:
        bits = le64(p);
        memcpy(&real, &bits, 8);
        return repr(real, text, &size) && add(made, text, size) ? FILLED : DECLINED;
    case BOOL: return (*p ? add(made, "true", 4) : add(made, "false", 5)) ? FILLED : DECLINED;
    case 0: case NULL_: case DOCUMENT: case ARRAY: return UNFILLED;
    default: return DECLINED;
    }
}

/* A value that is all of an attribute, its type kept. */
static int take(Work *work, u32 kind, u32 at, u32 end, int keyed)
{
    Made *made = &work->made;
    const u8 *p = work->document + at;
    Digits found;
    Number number;
    int written, filled;
    double real;
    u64 bits;
    made->kind = 'N';
    switch (kind) {
    case STRING: case OBJECT_ID: case DATE:
        made->kind = 'S';
        filled = add_text(work, kind, at, end, keyed);
        made->counted = made->size;
        return filled;
    case INT32: case INT64:
        if (!whole_number(kind == INT32 ? (int32_t)le32(p) : (int64_t)le64(p), &number))
            return DECLINED;
        break;
    case DOUBLE:
        bits = le64(p);
        memcpy(&real, &bits, 8);
        if (!shortest(real, &found) || !plain(&found, &number))
            return DECLINED;
        break;
    case DECIMAL128:
        if (!decimal(p, &found, &written) || !plain(&found, &number))
            return DECLINED;
        break;
    case 0: return UNFILLED;
    case NULL_: return keyed ? UNFILLED : DECLINED;
    default: return DECLINED;
    }
    made->counted = (u32)number.counted;
    return add(made, number.text, (u32)number.size) ? FILLED : DECLINED;
}

static int make(Work *work, const Own *own)
{
    const Part *parts = AT(work, Part, own->parts);
    Made *made = &work->made;
    made->size = 0;
    for (u32 i = 0; i < own->count; i++) {
        u32 at = 0, end = 0;
        if (!parts[i].slot) {
            if (!add(made, work->program + parts[i].literal.place, parts[i].literal.size))
                return DECLINED;
            continue;
        }
        u32 kind = placed(work, &parts[i], &at, &end);
        int filled = own->lone ? take(work, kind, at, end, (int)own->keyed)
                               : add_text(work, kind, at, end, (int)own->keyed);
        if (filled != FILLED)
            return filled;
    }
    if (!own->lone) {
        made->kind = 'S';
        made->counted = made->size;
    }
    return FILLED;
}

static u32 characters(const u8 *p, u32 size)
{
    u32 count = 0;
    for (u32 i = 0; i < size; i++)
        count += (p[i] & 0xC0) != 0x80;
    return count;
}

/* What templates and constants write, each with a comma behind it; the parts of the key into `key`. */
static int written(Work *work, const Program *program, Out *key)
{
    const Own *owns = AT(work, Own, program->owns);
    const Key *keys = AT(work, Key, program->keys);
    struct { u32 place, size; char kind; } parts[2] = {{0, 0, 0}, {0, 0, 0}};
    Out *out = &work->out;
    u8 *texts = key->at; /* of the key attributes, before they are put in order */
    work->size += program->constants_counted;
    if (!put(out, work->program + program->constants.place, program->constants.size))
        return 0;
    for (u32 i = 0; i < program->own_count; i++) {
        const Own *own = &owns[i];
        Made *made = &work->made;
        int filled = make(work, own);
        if (filled == DECLINED || (filled == UNFILLED && own->required))
            return 0;
        if (filled == UNFILLED)
            continue;
        for (u32 each = 0; each < program->key_count; each++) {
            if (keys[each].own != i)
                continue;
            if ((char)keys[each].kind != made->kind)
                return 0;
            if (made->kind == 'S' && (!made->size || made->size > keys[each].most_bytes))
                return 0;
            if (keys[each].in_key) {
                u32 part = keys[each].in_key - 1;
                parts[part].place = (u32)(key->at - texts);
                parts[part].size = made->size;
                parts[part].kind = made->kind;
                if (!put(key, made->text, made->size))
                    return 0;
            }
        }
        work->size += own->counted + made->counted;
        if (!put(out, work->program + own->head.place, own->head.size)
            || !(made->kind == 'S' ? PUT(out, "{\"S\":\"") : PUT(out, "{\"N\":\""))
            || !put_text(out, made->text, made->size) || !PUT(out, "\"},"))
            return 0;
    }
    /* Behind the texts the key itself, and then to where they stand. */
    u8 *begun = key->at;
    for (u32 part = 0; part < 2; part++) {
        char head[24];
        const u8 *text = texts + parts[part].place;
        if (!parts[part].kind)
            continue;
        int size = snprintf(head, sizeof head, "%c%u:", parts[part].kind, characters(text, parts[part].size));
        if (!put(key, head, (size_t)size) || !put(key, text, parts[part].size))
            return 0;
    }
    memmove(texts, begun, (size_t)(key->at - begun));
    key->at = texts + (key->at - begun);
    return 1;
}

typedef struct { u32 key, body, size; } Result; /* ends of key and body in the output; size 0: declined */

static int carry(Work *work, u32 size, Out *out, u8 *spare, u32 spare_size, Result *result, const u8 *base)
{
    const Program *program = AT(work, Program, 0);
    work->size = work->hints = work->names = 0;
    memset(work->slots, 0, sizeof(Slot) * (program->slots + 1));
    if (size < 5 || le32(work->document) != size || work->document[size - 1])
        return 0;
    work->out.at = spare;
    work->out.end = spare + spare_size;
    if (!carried(work, program, size))
        return 0;
    u8 *carried_end = work->out.at;
    Out key = {out->at, out->end};
    u32 hints = work->hints;
    u8 *own = carried_end;
    if (!PUT(&work->out, "{") || !written(work, program, &key))
        return 0;
    u32 own_size = (u32)(work->out.at - own);
    Out body = {key.at, out->end};
    if (!put(&body, own, own_size) || !put(&body, spare, (size_t)(carried_end - spare)))
        return 0;
    body.at--; /* the last comma */
    work->out = body;
    work->hints = hints;
    if ((hints && !put_hints(work)) || !PUT(&work->out, "}") || work->size > program->most_bytes)
        return 0;
    result->key = (u32)(key.at - base);
    result->body = (u32)(work->out.at - base);
    result->size = work->size;
    out->at = work->out.at;
    return 1;
}

/* What this was made of. */
EXPORT const char *greylag_source(void) { return GREYLAG_SOURCE; }

/* The bytes of scratch that goes with an output of so many; where it stands eight must divide. */
EXPORT u64 greylag_scratch(u32 output_size) { return sizeof(Work) + output_size / 2; }

/* `count` documents end to end in `documents`, each of as many bytes as `sizes` says. Their keys and bodies go into
   `output`, key then body, of `output_size` bytes; where they end and what is counted, into `results`. Gives how many
   bytes of it are used. */
EXPORT u32 greylag_carry(const u8 *program, const u8 *documents, const u32 *sizes, u32 count, void *scratch, u8 *output,
                         u32 output_size, Result *results)
{
    Work *work = scratch;
    u8 *spare = (u8 *)scratch + sizeof *work;
    Out out = {output, output + output_size};
    work->program = program;
    for (u32 i = 0; i < count; i++) {
        work->document = documents;
        if (!carry(work, sizes[i], &out, spare, output_size / 2, &results[i], output)) {
            results[i].key = results[i].body = (u32)(out.at - output);
            results[i].size = 0;
        }
        documents += sizes[i];
    }
    return (u32)(out.at - output);
}
