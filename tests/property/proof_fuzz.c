/* Mutated JSON through proof.c: no crash, and with sanitizers no read beyond the text.

   proof_fuzz CASES ROUNDS SEED: of CASES, which tests/property/test_proof_fuzz.py writes, texts with their sizes. Every text
   stands alone in memory of exactly its size.
*/

#include "proof.c"
#include <stdio.h>

enum { MOST_TEXTS = 256 };

static u64 state;

static u32 draw(u32 below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? (u32)(state >> 32) % below : 0;
}

static u32 mutate(u8 *p, u32 size)
{
    static const u8 bytes[] = "\"\"\\\\{}[],:-0 1.eE\n\r\tnull\xc3\xff";
    for (u32 times = draw(4); times && size; times--) {
        u32 place = draw(size);
        switch (draw(5)) {
        case 0: p[place] = (u8)draw(256); break;
        case 1: p[place] ^= (u8)(1u << draw(8)); break;
        case 2: p[place] = bytes[draw(sizeof bytes - 1)]; break;
        case 3: size = place; break;
        default: memmove(p + place, p + draw(place + 1), draw(size - place + 1)); break;
        }
    }
    return size;
}

int main(int count, char **arguments)
{
    FILE *file = count == 4 ? fopen(arguments[1], "rb") : NULL;
    u64 rounds = count == 4 ? strtoull(arguments[2], NULL, 10) : 0, proven = 0;
    u32 texts = 0, sizes[MOST_TEXTS];
    u8 *text[MOST_TEXTS];
    if (!file)
        return 2;
    state = strtoull(arguments[3], NULL, 10) * 2 + 1;
    while (texts < MOST_TEXTS && fread(&sizes[texts], sizeof sizes[0], 1, file) == 1) {
        text[texts] = malloc(sizes[texts]);
        if (!text[texts] || fread(text[texts], 1, sizes[texts], file) != sizes[texts])
            return 2;
        texts++;
    }
    fclose(file);
    if (!texts)
        return 2;
    for (u64 round = 0; round < rounds; round++) {
        u32 which = draw(texts);
        u8 *whole = malloc(sizes[which]);
        if (!whole)
            return 2;
        memcpy(whole, text[which], sizes[which]);
        u32 left = mutate(whole, sizes[which]);
        u8 *alone = malloc(left ? left : 1); /* no byte of it, where none is left, is to be read either */
        if (!alone)
            return 2;
        memcpy(alone, whole, left);
        int found = greylag_json_proven(alone, left, draw(4) ? 200 : draw(1100), (int)draw(2));
        if (found != 0 && found != 1)
            return 3;
        proven += (u64)found;
        free(alone);
        free(whole);
    }
    for (u32 i = 0; i < texts; i++)
        free(text[i]);
    printf("%llu of %llu\n", (unsigned long long)proven, (unsigned long long)rounds);
    return 0;
}
