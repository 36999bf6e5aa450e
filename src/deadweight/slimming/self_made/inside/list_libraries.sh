# Reads two lines for each file, its dynamic linker and its path, and writes what is not found of the libraries of each:
# a colon with the path, and then what the linker says. A lone colon at the end tells that it has come so far.
while IFS= read -r linker && IFS= read -r file; do
  case $linker in
    */ld-musl-*) said=$("$linker" --list "$file" 2>&1 </dev/null) ;;
    *) said=$(LD_TRACE_LOADED_OBJECTS=1 "$linker" "$file" 2>&1 </dev/null) ;; # --list ends at the first that is missing
  esac
  case $said in
    *"=> not found"* | *"Error loading shared library"*) printf '%s\n' ":$file" "$said" ;;
  esac
done
printf '%s\n' :
