/* Mutated documents through carry.c: no crash, and with sanitizers no read or write beyond what it was given.

   carry_fuzz CASES ROUNDS SEED: of CASES, which tests/property/test_carry_fuzz.py writes, each flow's program and
   documents. Every document stands alone in memory of exactly its size.
*/

#include "carry.c"

static u64 state;

static u32 draw(u32 below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? (u32)(state >> 32) % below : 0;
}

static u32 number(FILE *file)
{
    u8 bytes[4];
    if (fread(bytes, 1, 4, file) != 4)
        exit(2);
    return le32(bytes);
}

static u8 *content(FILE *file, u32 size)
{
    u8 *found = malloc(size + 8);
    if (!found || fread(found, 1, size, file) != size)
        exit(2);
    return found;
}

static void set32(u8 *p, u32 value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (u8)(value >> 8 * i);
}

static u32 mutate(u8 *p, u32 size)
{
    static const u8 kinds[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 18, 19, 0x7f, 0xff, 0x80, 0xc3, 0xed, 0xf4, '"', '0'};
    static const u32 lengths[] = {0, 1, 4, 5, 0x7fffffff, 0x80000000u, 0xffffffffu, 0xfffffffcu};
    for (u32 times = draw(4); times && size; times--) {
        u32 place = draw(size);
        switch (draw(6)) {
        case 0: p[place] = (u8)draw(256); break;
        case 1: p[place] ^= (u8)(1u << draw(8)); break;
        case 2: p[place] = kinds[draw(sizeof kinds)]; break;
        case 3:
            if (size - place >= 4)
                set32(p + place, draw(2) ? lengths[draw(8)] : le32(p + place) + draw(5) - 2);
            break;
        case 4: /* cut, as often as not with a length and an end that agree */
            size = place;
            if (size >= 5 && draw(2)) {
                set32(p, size);
                p[size - 1] = 0;
            }
            break;
        default: memmove(p + place, p + draw(place + 1), draw(size - place + 1)); break;
        }
    }
    return size;
}

int main(int count, char **arguments)
{
    FILE *file = count == 4 ? fopen(arguments[1], "rb") : NULL;
    u64 rounds = count == 4 ? strtoull(arguments[2], NULL, 10) : 0, carried_whole = 0, tried = 0;
    if (!file)
        return 2;
    state = strtoull(arguments[3], NULL, 10) * 2 + 1;
    u32 flows = number(file);
    void *work = malloc(greylag_scratch(65536));
    if (!work)
        return 2;
    for (u32 flow = 0; flow < flows; flow++) {
        u32 size = number(file);
        u8 *program = content(file, size);
        u32 documents = number(file), sizes[4096];
        u8 *document[4096];
        for (u32 i = 0; i < documents; i++) {
            sizes[i] = number(file);
            document[i] = content(file, sizes[i]);
        }
        for (u64 round = 0; round < rounds; round++) {
            u32 which = draw(documents), room = draw(8) ? 65536 : draw(4096);
            u8 *scratch = malloc(sizes[which] + 1);
            memcpy(scratch, document[which], sizes[which]);
            u32 left = mutate(scratch, sizes[which]);
            u8 *alone = malloc(left ? left : 1), *output = malloc(room ? room : 1);
            if (!alone || !output)
                return 2;
            memcpy(alone, scratch, left);
            free(scratch);
            Result *result = malloc(sizeof *result);
            u32 used = greylag_carry(program, alone, &left, 1, work, output, room, result);
            if (used > room || result->key > result->body || result->body != used)
                return 3;
            carried_whole += result->size != 0;
            tried++;
            free(result);
            free(output);
            free(alone);
        }
        for (u32 i = 0; i < documents; i++)
            free(document[i]);
        free(program);
    }
    fclose(file);
    free(work);
    printf("%llu of %llu\n", (unsigned long long)carried_whole, (unsigned long long)tried);
    return 0;
}
