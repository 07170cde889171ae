/* Whether a batch of JSON records is sure to lose nothing when msgspec decodes it, told from its text.

   One function, no state, nothing allocated but what `qsort` may, no Python in it. It looks for what msgspec lets pass: two
   equal keys in one object, -0, nesting too deep, lines that are not one record each. It takes the text apart as JSON is,
   but leaves to msgspec, which reads the same text, whether numbers, strings and words are valid.

   What it declines is not wrong but not sure: decoding.py then proves it by other means. The text may be anything: every
   read is held against its end first.
*/

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
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

/* What has more of it is declined. */
enum {
    MOST_LEVELS = 1024,
    MOST_KEYS = 4096, /* of all objects open at once */
    FEW_KEYS = 24,    /* of one object: compared as they come, more of them sorted at its end */
};

static const u32 AN_ARRAY = UINT32_MAX;

typedef struct {
    const u8 *end;
    u32 deepest;
    int lines;
    u32 keys, depth;
    u32 first[MOST_LEVELS]; /* of each open object its first key; AN_ARRAY for an array */
    u64 hashes[MOST_KEYS];
} Scan;

static const u8 *past_space(const Scan *scan, const u8 *p)
{
    while (p < scan->end && (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && !scan->lines)))
        p++;
    return p;
}

/* The first quote or backslash from p on, or the end. */
static const u8 *special(const u8 *p, const u8 *end)
{
#if defined(__SSE2__)
    const __m128i quotes = _mm_set1_epi8('"'), backslashes = _mm_set1_epi8('\\');
    for (; end - p >= 16; p += 16) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(text, quotes), _mm_cmpeq_epi8(text, backslashes));
        u32 places = (u32)_mm_movemask_epi8(found);
        if (places)
            return p + __builtin_ctz(places);
    }
#else
    const u64 ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    for (; end - p >= 8; p += 8) {
        u64 text;
        memcpy(&text, p, 8);
        u64 quotes = text ^ ones * '"', backslashes = text ^ ones * '\\';
        if (((quotes - ones) & ~quotes & tops) | ((backslashes - ones) & ~backslashes & tops))
            break;
    }
#endif
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* Behind the quote that ends a string, or NULL. */
static const u8 *past_string(const u8 *p, const u8 *end)
{
    for (;;) {
        p = special(p, end);
        if (p == end)
            return NULL;
        if (*p == '"')
            return p + 1;
        if (end - p < 2)
            return NULL;
        p += 2;
    }
}

/* Different hashes are of different keys. Of equal ones it is not sure. */
static u64 hash_of(const u8 *p, size_t size)
{
    u64 hash = size;
    for (; size > 8; p += 8, size -= 8) {
        u64 text;
        memcpy(&text, p, 8);
        hash = (hash ^ text) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    u64 rest = 0;
    while (size)
        rest = rest << 8 | p[--size];
    hash = (hash ^ rest * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static int in_order(const void *one, const void *other)
{
    u64 a = *(const u64 *)one, b = *(const u64 *)other;
    return (a > b) - (a < b);
}

/* Behind the colon of a member, or NULL. */
static const u8 *past_key(Scan *scan, const u8 *p)
{
    const u8 *end = scan->end;
    p = past_space(scan, p);
    if (p == end || *p != '"' || scan->keys == MOST_KEYS)
        return NULL;
    const u8 *key = ++p;
    p = special(p, end);
    if (p == end || *p == '\\') /* the same key may be written in several ways */
        return NULL;
    u64 hash = hash_of(key, (size_t)(p - key));
    u32 first = scan->first[scan->depth - 1];
    if (scan->keys - first < FEW_KEYS) {
        int met = 0;
        for (u32 i = first; i < scan->keys; i++)
            met |= scan->hashes[i] == hash;
        if (met)
            return NULL;
    }
    scan->hashes[scan->keys++] = hash;
    p = past_space(scan, p + 1);
    return p < end && *p == ':' ? p + 1 : NULL;
}

/* Leaves the innermost object, or array, if that is what `bracket` ends. */
static int leave(Scan *scan, u8 bracket)
{
    u32 first = scan->first[scan->depth - 1];
    if (bracket != (first == AN_ARRAY ? ']' : '}'))
        return 0;
    scan->depth--;
    if (first == AN_ARRAY)
        return 1;
    u32 count = scan->keys - first;
    scan->keys = first;
    if (count <= FEW_KEYS)
        return 1;
    qsort(scan->hashes + first, count, sizeof(u64), in_order);
    for (u32 i = first + 1; i < first + count; i++)
        if (scan->hashes[i - 1] == scan->hashes[i])
            return 0;
    return 1;
}

/* Behind a number, or one of JSON's three words; NULL for -0. */
static const u8 *past_plain(const u8 *p, const u8 *end)
{
    const u8 *begin = p;
    while (p < end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || *p == '.' || *p == '-' || *p == '+' || *p == 'E'))
        p++;
    return p == begin || (p - begin == 2 && begin[0] == '-' && begin[1] == '0') ? NULL : p;
}

/* Behind the object that begins at p, or NULL. */
static const u8 *past_record(Scan *scan, const u8 *p)
{
    const u8 *end = scan->end;
    if (p == end || *p != '{')
        return NULL;
    scan->depth = scan->keys = 0;
    for (;;) { /* p is where a value begins */
        p = past_space(scan, p);
        if (p == end)
            return NULL;
        int opened = *p == '{' || *p == '[';
        if (opened) {
            if (scan->depth == scan->deepest)
                return NULL;
            scan->first[scan->depth++] = *p == '[' ? AN_ARRAY : scan->keys;
            p = past_space(scan, p + 1);
            opened = p < end && *p != ']' && *p != '}';
        } else {
            p = *p == '"' ? past_string(p + 1, end) : past_plain(p, end);
            if (!p)
                return NULL;
        }
        while (!opened) { /* p is behind a value, or where an empty container ends */
            p = past_space(scan, p);
            if (p == end)
                return NULL;
            u8 next = *p++;
            if (next == ',')
                break;
            if (!leave(scan, next))
                return NULL;
            if (!scan->depth)
                return p;
        }
        if (scan->first[scan->depth - 1] != AN_ARRAY && !(p = past_key(scan, p)))
            return NULL;
    }
}

static int proven_lines(Scan *scan, const u8 *p)
{
    const u8 *end = scan->end;
    while (p < end) {
        p = past_space(scan, p);
        if (p < end && *p != '\n') {
            p = past_record(scan, p);
            if (!p)
                return 0;
            p = past_space(scan, p);
        }
        if (p < end && *p++ != '\n')
            return 0;
    }
    return 1;
}

static int proven_array(Scan *scan, const u8 *p)
{
    const u8 *end = scan->end;
    p = past_space(scan, p);
    u8 next = p < end && *p == '[' ? ',' : 0;
    while (next == ',') {
        p = past_record(scan, past_space(scan, p + 1));
        if (!p)
            return 0;
        p = past_space(scan, p);
        next = p < end ? *p : 0;
    }
    return next == ']' && past_space(scan, p + 1) == end;
}

/* 1 where it is certain that msgspec, if it takes the text, gives all that is in it: objects, nested at most `deepest`
   levels, themselves counted. `lines`: one on each line, blank lines aside; otherwise one array of them. */
EXPORT int greylag_json_proven(const u8 *text, u64 size, u32 deepest, int lines)
{
    Scan scan;
    if (deepest > MOST_LEVELS)
        return 0;
    scan.end = text + size;
    scan.deepest = deepest;
    scan.lines = lines;
    return lines ? proven_lines(&scan, text) : proven_array(&scan, text);
}

EXPORT const char *greylag_source(void) { return GREYLAG_SOURCE; }
