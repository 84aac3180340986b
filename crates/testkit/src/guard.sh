# Waits beside a folder for its owner to be done with it, also by being killed outright; then ends the server that
# runs in the folder and removes the folder. Argument: the folder. Standard input tells what runs there:
# "run <process id> <signal that ends it>" or "idle".
id=
while read -r word number name; do
    case $word in
        run) id=$number signal=$name ;;
        idle) id= ;;
    esac
done
if [ -n "$id" ]; then
    for stat in /proc/[0-9]*/stat; do
        read -r child _ _ parent _ <"$stat" && [ "$parent" = "$id" ] && kill -CONT "$child"
    done
    kill -CONT "$id"
    kill -"$signal" "$id"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -0 "$id" || break
        sleep 0.25
    done
    kill -KILL "$id"
fi 2>/dev/null
# A PostgreSQL that was killed leaves a few bytes of System V shared memory, which its lock file names.
shared=$(sed -n '7s/.* //p' "$1/data/postmaster.pid" 2>/dev/null)
[ -n "$shared" ] && ipcrm -m "$shared" 2>/dev/null
rm -rf -- "$1"
